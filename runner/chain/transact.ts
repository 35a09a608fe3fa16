/** Sending transactions: estimated first, so that a failure costs nothing and has words; in order; waited for. */
import {
  type Address,
  type Hash,
  type Hex,
  keccak256,
  type Log,
  type TransactionReceipt,
  WaitForTransactionReceiptTimeoutError,
} from "viem";
import { DeltapayError } from "../protocol/errors.ts";
import { accountMissing } from "./accountMissing.ts";
import type { ChainConnection } from "./connection.ts";
import { onChain } from "./errors.ts";

/** Most gas of one transaction (EIP-7825). */
export const TRANSACTION_GAS_LIMIT = 2n ** 24n;

export interface Call {
  to: Address;
  data: Hex;
  /** Wei. */
  value?: bigint;
}

/** A transaction that was mined and did not revert. */
export interface Outcome {
  txHash: Hash;
  gasUsed: bigint;
  blockNumber: bigint;
  logs: Log[];
}

/** Wei a unit of gas. */
export interface Fees {
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
}

/** A signed transaction: enough to find it again, or to put another in its place. */
export interface SentTransaction extends Fees {
  hash: Hash;
  from: Address;
  nonce: number;
  /** Unix milliseconds. */
  sentAt: number;
}

export interface SendOptions {
  /** Takes the place of what was sent with this nonce, for at least these fees. */
  replaces?: Fees & { nonce: number };
  /** Hears of the transaction before any node does: what is durable then is known after a crash. */
  onSent?: (sent: SentTransaction) => void;
}

export interface TransactOptions extends SendOptions {
  /** Milliseconds to wait until it is mined. */
  waitMs?: number;
}

/** Milliseconds a transaction may take to be mined. */
export const WAIT_MS = 180_000;

type Sender = Required<Pick<ChainConnection, "account" | "walletClient">>;

/** Who signs. @throws DeltapayError `account/missing` */
export function requireSender({ account, walletClient, chainId }: ChainConnection): Sender {
  if (account === undefined || walletClient === undefined) throw accountMissing(chainId);
  return { account, walletClient };
}

/** The last send of each account: two at once would take the same nonce. */
const sending = new Map<string, Promise<unknown>>();

function inOrder<Result>(
  chain: ChainConnection,
  sender: Address,
  send: () => Promise<Result>,
): Promise<Result> {
  const key = `${chain.rpcUrl} ${sender}`;
  const turn = (sending.get(key) ?? Promise.resolve()).then(send, send);
  sending.set(
    key,
    turn.catch(() => undefined),
  );
  return turn;
}

/**
 * Gas a call would use now.
 * @throws DeltapayError `contract/...` with the contract's reason, `chain/...`
 */
export function estimateGas(
  chain: ChainConnection,
  call: Call,
  { replaces }: Pick<SendOptions, "replaces"> = {},
): Promise<bigint> {
  const { account } = requireSender(chain);
  // A pending block may hold what is to be replaced, and the call would meet its own effects.
  const at = replaces === undefined ? {} : { blockTag: "latest" as const };
  return onChain(chain, () => chain.publicClient.estimateGas({ account, ...call, ...at }));
}

/** Room for what changes until the transaction is mined. */
function withMargin(gas: bigint): bigint {
  const padded = gas + gas / 5n;
  return padded < TRANSACTION_GAS_LIMIT ? padded : TRANSACTION_GAS_LIMIT;
}

/** What is paid now, and at least what is asked. */
async function feesNow(chain: ChainConnection, least: Fees): Promise<Fees> {
  const now = await chain.publicClient.estimateFeesPerGas();
  const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
  return {
    maxFeePerGas: larger(now.maxFeePerGas, least.maxFeePerGas),
    maxPriorityFeePerGas: larger(now.maxPriorityFeePerGas, least.maxPriorityFeePerGas),
  };
}

/** Estimates, signs and sends; resolves to the hash before the transaction is mined. */
export function send(chain: ChainConnection, call: Call, options: SendOptions = {}): Promise<Hash> {
  const { account, walletClient } = requireSender(chain);
  const { publicClient } = chain;
  const { replaces = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }, onSent } = options;
  return inOrder(chain, account.address, async () => {
    const gas = withMargin(await estimateGas(chain, call, options));
    const { nonce, fees } = await onChain(chain, async () => ({
      nonce:
        options.replaces?.nonce ??
        (await publicClient.getTransactionCount({ address: account.address, blockTag: "pending" })),
      fees: await feesNow(chain, replaces),
    }));
    const signed = await onChain(chain, () =>
      walletClient.signTransaction({ ...call, gas, nonce, ...fees, type: "eip1559" }),
    );
    const hash = keccak256(signed);
    onSent?.({ hash, from: account.address, nonce, ...fees, sentAt: Date.now() });
    return onChain(chain, () => publicClient.sendRawTransaction({ serializedTransaction: signed }));
  });
}

/** Why a mined transaction reverted, as well as running it again tells. */
async function revertReason(chain: ChainConnection, call: Call, receipt: TransactionReceipt): Promise<Error> {
  const { account } = requireSender(chain);
  try {
    await onChain(chain, () =>
      chain.publicClient.call({ account, ...call, blockNumber: receipt.blockNumber }),
    );
  } catch (error) {
    return error as Error;
  }
  return new DeltapayError("chain/reverted", `transaction ${receipt.transactionHash} reverted`);
}

/**
 * Waits until a transaction is mined, whether it reverted or not.
 * @throws DeltapayError `chain/not-mined` after `waitMs`
 */
export function waitFor(
  chain: ChainConnection,
  hash: Hash,
  waitMs: number = WAIT_MS,
): Promise<TransactionReceipt> {
  return onChain(chain, async () => {
    try {
      return await chain.publicClient.waitForTransactionReceipt({
        hash,
        timeout: waitMs,
        // Another transaction in its place is not the call that was made.
        checkReplacement: false,
      });
    } catch (error) {
      if (!(error instanceof WaitForTransactionReceiptTimeoutError)) throw error;
      throw new DeltapayError(
        "chain/not-mined",
        `transaction ${hash} was not mined within ${Math.ceil(waitMs / 1000)} s`,
        {
          hint: "it may still be: look before anything else is sent; a settlement that is tried again takes its place for a higher fee",
        },
      );
    }
  });
}

/**
 * Sends a call and waits until it is mined.
 * @throws DeltapayError `contract/...`, `chain/...`, `account/missing`
 */
export async function transact(
  chain: ChainConnection,
  call: Call,
  options: TransactOptions = {},
): Promise<Outcome> {
  const hash = await send(chain, call, options);
  const receipt = await waitFor(chain, hash, options.waitMs);
  if (receipt.status !== "success") throw await revertReason(chain, call, receipt);
  const { transactionHash: txHash, gasUsed, blockNumber, logs } = receipt;
  return { txHash, gasUsed, blockNumber, logs };
}
