/** Gas of real transactions on a chain in this process, with real proofs, the same at every run. */
import { encodeFunctionData, type Hex, type TransactionReceipt } from "viem";
import { loraEscrowAbi } from "../../runner/chain/generated/abi.ts";
import { type Offer, statementsHash } from "../../runner/protocol/typedData.ts";
import {
  buyer,
  contributor,
  makeOffer,
  open,
  payout,
  register,
  type Setting,
  signReceipt,
  startSetting,
} from "../../test/contracts/setting.ts";
import { type ProofVector, pointBytes, readProofVectors } from "../../test/vectors/proofs.ts";
import { type Breakdown, breakDown, type Trace } from "./trace.ts";

/** Seconds since 1970 of the first block: timestamps are part of what is signed and hashed. */
const START = 1_900_000_000n;

export const PROOF_COUNTS = [1, 4, 24, 48, 80] as const;

export interface SettleGas {
  total: bigint;
  perProof: bigint;
  /** Calldata in bytes. */
  calldata: number;
  spent: Breakdown;
}

const vectors = readProofVectors();

/** Groups may well have equal statements; a few distinct ones cost what as many cost. */
function provenGroups(size: number, groups: number): ProofVector[] {
  const { proofs } = vectors.get(size)!;
  return Array.from({ length: groups }, (_, group) => proofs[group % proofs.length]!);
}

/** A chain with the verifier of the key of this size, where every run gives the same transactions. */
export function fixedSetting(size: number): Promise<Setting> {
  return startSetting(`LoraVerifier${size}`, { start: START });
}

/** The first settlement of an agreement opened without a fee, the payout's first income: what costs most. */
async function settle(size: number, groups: number): Promise<SettleGas> {
  const setting = await fixedSetting(size);
  const { adapterId } = await register(setting, groups);
  const offer = { ...(await makeOffer(setting, adapterId)), openingFee: 0n };
  const { agreementId } = await open(setting, offer, 0n);
  const all = provenGroups(size, groups);
  const hash = statementsHash(all.map(({ V }) => pointBytes(V)));
  const receipt = {
    agreementId,
    passes: 3n,
    tokens: 100n,
    head: `0x${"4e".repeat(32)}` as Hex,
    statementsHash: hash,
  };
  const { signature } = await signReceipt(setting, receipt);
  const claims = all.map(({ proof }, group) => ({ group, ...proof }));
  const args = [agreementId, receipt, signature, all.map(({ V }) => V), claims] as const;
  const mined = await setting.send(contributor, {
    address: setting.escrow,
    abi: loraEscrowAbi,
    functionName: "settle",
    args,
  });
  const credited = await setting.public.readContract({
    address: setting.escrow,
    abi: loraEscrowAbi,
    functionName: "credits",
    args: [offer.token, payout],
  });
  if (credited !== 100_000n) throw new Error(`the settlement of ${groups} proofs credited ${credited}`);
  const data = encodeFunctionData({ abi: loraEscrowAbi, functionName: "settle", args });
  const trace = (await setting.request("debug_traceTransaction", [
    mined.transactionHash,
    { disableMemory: true, disableStorage: true },
  ])) as Trace;
  const total = mined.gasUsed;
  return {
    total,
    perProof: total / BigInt(groups),
    calldata: data.length / 2 - 1,
    spent: breakDown(trace, total, data),
  };
}

/** Gas of the first call of each function besides `settle`. */
export async function measureFunctions(): Promise<Record<string, bigint>> {
  const setting = await fixedSetting(14);
  const gas: Record<string, bigint> = {};
  const registered = await register(setting, 24);
  gas["register"] = registered.receipt.gasUsed;
  const offer = await makeOffer(setting, registered.adapterId);
  const call = (
    from: typeof contributor,
    functionName: string,
    args: readonly unknown[],
  ): Promise<TransactionReceipt> =>
    setting.send(from, { address: setting.escrow, abi: loraEscrowAbi, functionName, args });
  const opened = await open(setting, offer, 0n);
  gas["open"] = opened.receipt.gasUsed;
  gas["open without a fee"] = (await openFree(setting, offer)).gasUsed;
  gas["setOperator"] = (await call(contributor, "setOperator", [payout, true])).gasUsed;
  gas["close"] = (await call(buyer, "close", [opened.agreementId])).gasUsed;
  const second = await open(setting, offer, 1n);
  gas["release"] = (await call(contributor, "release", [second.agreementId])).gasUsed;
  const third = await open(setting, offer, 2n);
  gas["cancelOffer"] = (await call(contributor, "cancelOffer", [offer])).gasUsed;
  gas["withdraw"] = (await call(buyer, "withdraw", [offer.token, buyer.address])).gasUsed;
  await setting.passTo(third.deadline + 1n);
  gas["refund"] = (await call(buyer, "refund", [third.agreementId])).gasUsed;
  return gas;
}

async function openFree(setting: Setting, offer: Offer): Promise<TransactionReceipt> {
  return (await open(setting, { ...offer, openingFee: 0n, nonce: offer.nonce + 1n }, 0n)).receipt;
}

/** Gas of a settlement with each number of proofs, under the smallest key. */
export async function measureSettlements(): Promise<Map<number, SettleGas>> {
  const all = new Map<number, SettleGas>();
  for (const count of PROOF_COUNTS) all.set(count, await settle(14, count));
  return all;
}

/** One proof under keys of several sizes: the verification does not know how large the adapter is. */
export async function measureSizes(): Promise<Map<number, bigint>> {
  const all = new Map<number, bigint>();
  for (const size of vectors.keys()) all.set(size, (await settle(size, 1)).total);
  return all;
}
