/** Registry, escrow and a real verifier on a chain inside the process, with a contributor, a buyer and an open agreement. */
import { network } from "hardhat";
import {
  type Abi,
  type Account,
  type Address,
  type Chain,
  createPublicClient,
  createWalletClient,
  custom,
  type Hex,
  parseEventLogs,
  type TransactionReceipt,
  type Transport,
  type WalletClient,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { hardhat } from "viem/chains";
import { testAccount } from "../../runner/chain/accounts.ts";
import { contractCode } from "../../runner/chain/bytecode.ts";
import { adapterRegistryAbi, loraEscrowAbi } from "../../runner/chain/generated/abi.ts";
import { messageDigest, type Offer, type Receipt, typedData } from "../../runner/protocol/typedData.ts";

type Wallet = WalletClient<Transport, Chain, Account>;

export const contributor = testAccount(0);
export const buyer = testAccount(1);
/** Signs receipts, owns nothing. */
export const signer = privateKeyToAccount(`0x${"51".repeat(32)}`);
export const payout: Address = "0x0000000000000000000000000000000000009a1d";

export interface Setting {
  public: ReturnType<typeof publicClientOf>;
  registry: Address;
  escrow: Address;
  verifier: Address;
  /** Address of a new contract of this version, by name. */
  deploy(name: string, abi?: Abi | readonly unknown[], args?: readonly unknown[]): Promise<Address>;
  /** Sends a transaction and waits for it; throws when it reverts. */
  send(from: Account, call: Call): Promise<TransactionReceipt>;
  /** Any other request to the node. */
  request(method: string, params: readonly unknown[]): Promise<unknown>;
  /** Mines a block with this timestamp, on a chain whose clock is fixed. */
  passTo(timestamp: bigint): Promise<void>;
}

export interface SettingOptions {
  /** Timestamp of the first block; every later one is a second after the one before, whatever the time. */
  start?: bigint;
}

export interface Call {
  address: Address;
  abi: Abi | readonly unknown[];
  functionName: string;
  args: readonly unknown[];
  value?: bigint;
}

type Provider = Awaited<ReturnType<typeof network.create>>["provider"];

function publicClientOf(provider: Provider) {
  return createPublicClient({
    chain: hardhat,
    transport: custom(provider),
    pollingInterval: 5,
    cacheTime: 0,
  });
}

/** A fresh chain with the contracts of this version and the verifier of one key. */
export async function startSetting(verifierName: string, { start }: SettingOptions = {}): Promise<Setting> {
  const { provider } = await network.create(
    start === undefined ? {} : { override: { initialDate: new Date(1000 * Number(start)) } },
  );
  let next = start;
  const tick = async (): Promise<void> => {
    if (next === undefined) return;
    await provider.request({ method: "evm_setNextBlockTimestamp", params: [Number(++next)] });
  };
  const client = publicClientOf(provider);
  const walletOf = (account: Account): Wallet =>
    createWalletClient({ account, chain: hardhat, transport: custom(provider) });
  const mined = async (hash: Hex): Promise<TransactionReceipt> => {
    const receipt = await client.waitForTransactionReceipt({ hash });
    if (receipt.status !== "success") throw new Error(`transaction ${hash} reverted`);
    return receipt;
  };
  const deploy: Setting["deploy"] = async (name, abi = [], args = []) => {
    const { bytecode } = contractCode(name);
    const wallet = walletOf(contributor);
    await tick();
    const receipt = await mined(await wallet.deployContract({ abi: abi as Abi, bytecode, args }));
    return receipt.contractAddress!;
  };
  const registry = await deploy("AdapterRegistry");
  return {
    public: client,
    deploy,
    registry,
    escrow: await deploy("LoraEscrow", loraEscrowAbi, [registry]),
    verifier: await deploy(verifierName),
    request: (method, params) => provider.request({ method, params: [...params] }),
    passTo: async (timestamp) => {
      next = timestamp - 1n;
      await tick();
      await provider.request({ method: "evm_mine", params: [] });
    },
    send: async (from, call) => {
      await tick();
      const { request } = await client.simulateContract({ account: from, ...call, abi: call.abi as Abi });
      return mined(await walletOf(from).writeContract(request));
    },
  };
}

/** Registers an adapter of the contributor. */
export async function register(
  setting: Setting,
  groups: number,
): Promise<{ adapterId: Hex; receipt: TransactionReceipt }> {
  const receipt = await setting.send(contributor, {
    address: setting.registry,
    abi: adapterRegistryAbi,
    functionName: "register",
    args: [
      `0x${"4d".repeat(32)}`,
      "https://adapter.example/manifest.json",
      setting.verifier,
      groups,
      `0x${"5a".repeat(32)}`,
    ],
  });
  const [event] = parseEventLogs({
    abi: adapterRegistryAbi,
    eventName: "AdapterRegistered",
    logs: receipt.logs,
  });
  return { adapterId: event!.args.adapterId, receipt };
}

export function domainOf(setting: Setting): { chainId: bigint; escrow: Address } {
  return { chainId: BigInt(hardhat.id), escrow: setting.escrow };
}

/** Terms in ETH. */
export async function makeOffer(setting: Setting, adapterId: Hex): Promise<Offer> {
  const { timestamp } = await setting.public.getBlock();
  return {
    adapterId,
    payout,
    token: "0x0000000000000000000000000000000000000000",
    pricePerToken: 1_000n,
    openingFee: 500_000n,
    maxUnpaidTokens: 256n,
    tokenCap: 10_000n,
    minDuration: 3_600n,
    closeWindow: 1_200n,
    maxOpens: 10n,
    nonce: 7n,
    expiry: timestamp + 86_400n,
  };
}

export const AMOUNT = 1_000_000n;

/** The buyer takes the offer with AMOUNT. */
export async function open(
  setting: Setting,
  offer: Offer,
  nonce: bigint,
): Promise<{ agreementId: Hex; deadline: bigint; receipt: TransactionReceipt }> {
  const { timestamp } = await setting.public.getBlock();
  const deadline = timestamp + 7_200n;
  const signature = await contributor.signTypedData(typedData(domainOf(setting), "Offer", offer));
  const receipt = await setting.send(buyer, {
    address: setting.escrow,
    abi: loraEscrowAbi,
    functionName: "open",
    args: [offer, signature, signer.address, AMOUNT, deadline, nonce],
    value: offer.openingFee + AMOUNT,
  });
  const [event] = parseEventLogs({ abi: loraEscrowAbi, eventName: "AgreementOpened", logs: receipt.logs });
  return { agreementId: event!.args.agreementId, deadline, receipt };
}

/** The signer's signature of a receipt, and its digest. */
export async function signReceipt(
  setting: Setting,
  receipt: Receipt,
): Promise<{ signature: Hex; receiptHash: Hex }> {
  const domain = domainOf(setting);
  return {
    signature: await signer.signTypedData(typedData(domain, "Receipt", receipt)),
    receiptHash: messageDigest(domain, "Receipt", receipt),
  };
}
