/** What became of a transaction, from the chain alone. */
import { type Hash, TransactionNotFoundError, TransactionReceiptNotFoundError } from "viem";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { asChainError, onChain } from "../../../runner/chain/errors.ts";
import type { Call } from "../../../runner/chain/transact.ts";
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import { failureOf } from "../failure.ts";
import { classifyMined, isSameCall, type MinedCall, type TransactionRecord } from "./record.ts";

type Reading = Pick<ChainContext, "publicClient" | "rpcUrl">;

/** Undefined where viem throws that there is no such thing. */
async function found<Value>(request: Promise<Value>): Promise<Value | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof TransactionNotFoundError || error instanceof TransactionReceiptNotFoundError)
      return undefined;
    throw error;
  }
}

/** The mined transaction of an account with a nonce; undefined when it is older than `sinceBlock` or not mined. */
async function findMined(
  { publicClient }: Pick<Reading, "publicClient">,
  from: Hash,
  nonce: number,
  sinceBlock: bigint,
): Promise<(MinedCall & { blockNumber: bigint }) | undefined> {
  const countAt = (blockNumber: bigint): Promise<number> =>
    publicClient.getTransactionCount({ address: from, blockNumber });
  let low = sinceBlock;
  let high = await publicClient.getBlockNumber();
  if ((await countAt(high)) <= nonce) return undefined;
  while (low < high) {
    const middle = (low + high) / 2n;
    if ((await countAt(middle)) > nonce) high = middle;
    else low = middle + 1n;
  }
  const block = await publicClient.getBlock({ blockNumber: low, includeTransactions: true });
  const mined = block.transactions.find(
    (transaction) => transaction.from.toLowerCase() === from.toLowerCase() && transaction.nonce === nonce,
  );
  return mined && { ...mined, blockNumber: low };
}

/** Why a mined call reverted, as well as running it again tells. */
async function revertReason(
  ctx: Reading,
  from: Hash,
  call: Call,
  blockNumber: bigint,
): Promise<DeltapayError> {
  try {
    await onChain(ctx, () => ctx.publicClient.call({ account: from, ...call, blockNumber }));
  } catch (error) {
    if (error instanceof DeltapayError) return error;
  }
  return new DeltapayError("chain/reverted", "the transaction reverted", {
    hint: "its block says no more; try again",
  });
}

/** How a mined transaction that makes the record's call went. */
async function outcome(ctx: Reading, hash: Hash): Promise<Partial<TransactionRecord> | undefined> {
  const receipt = await found(ctx.publicClient.getTransactionReceipt({ hash }));
  if (receipt === undefined) return undefined;
  const mined = {
    minedHash: hash,
    blockNumber: receipt.blockNumber.toString(),
    gasUsed: receipt.gasUsed.toString(),
  };
  if (receipt.status === "success") return { ...mined, state: "confirmed" };
  const { from, to, input, value } = await ctx.publicClient.getTransaction({ hash });
  const reason = await revertReason(ctx, from, { to: to!, data: input, value }, receipt.blockNumber);
  return { ...mined, state: "reverted", failure: failureOf(reason) };
}

/** `findMined` on a node that may have forgotten the state of older blocks: null then. */
async function findRemembered(
  ctx: Reading,
  record: TransactionRecord,
  nonce: number,
): Promise<Awaited<ReturnType<typeof findMined>> | null> {
  try {
    return await findMined(ctx, record.from, nonce, BigInt(record.sinceBlock));
  } catch (error) {
    const failure = asChainError(error, ctx);
    if (failure instanceof DeltapayError && failure.code === "chain/unreachable") throw failure;
    return null;
  }
}

/** Another transaction took the nonce. */
async function displaced(
  ctx: Reading,
  record: TransactionRecord,
): Promise<Partial<TransactionRecord> | undefined> {
  const mined = await findRemembered(ctx, record, record.nonce);
  // Which one it was is not known; what is left to do, the chain's present state tells.
  if (mined === null) return { state: "replaced" };
  if (mined === undefined) return undefined;
  const kind = classifyMined(record, mined);
  if (kind === "same") return outcome(ctx, mined.hash);
  return { state: kind, minedHash: mined.hash, blockNumber: mined.blockNumber.toString() };
}

/** A wallet takes the next nonce, or one soon after when it was busy. */
const MOST_NONCES = 16;

/** A transaction whose hash the page never learned: it went away while the wallet had the request. */
async function unheard(ctx: Reading, record: TransactionRecord): Promise<Partial<TransactionRecord>> {
  const address = record.from;
  const { publicClient } = ctx;
  const [latest, pending] = await Promise.all([
    publicClient.getTransactionCount({ address, blockTag: "latest" }),
    publicClient.getTransactionCount({ address, blockTag: "pending" }),
  ]);
  for (let nonce = record.nonce; nonce < Math.min(latest, record.nonce + MOST_NONCES); nonce++) {
    const mined = await findRemembered(ctx, record, nonce);
    if (mined != null && isSameCall(record, mined))
      return { nonce, hash: mined.hash, ...(await outcome(ctx, mined.hash)) };
  }
  // Something of this account is on its way: it may be this one.
  if (pending > Math.max(latest, record.nonce)) return record.state === "pending" ? {} : { state: "pending" };
  return { state: "unsent" };
}

/**
 * What changed about a transaction; an empty object when nothing did.
 * @throws DeltapayError `chain/...` when the chain does not answer
 */
export function lookAt(ctx: Reading, record: TransactionRecord): Promise<Partial<TransactionRecord>> {
  return onChain(ctx, async () => {
    const { hash, from, nonce } = record;
    if (hash === undefined) return unheard(ctx, record);
    const mined = await outcome(ctx, hash);
    if (mined !== undefined) return mined;
    const known = await found(ctx.publicClient.getTransaction({ hash }));
    // The node may not have known it when the wallet told its hash: the nonce was a guess until now.
    if (known !== undefined && known.nonce !== nonce) return { nonce: known.nonce };
    const count = await ctx.publicClient.getTransactionCount({ address: from, blockTag: "latest" });
    if (count > nonce) return (await displaced(ctx, record)) ?? {};
    if (known !== undefined) return {};
    const pending = await ctx.publicClient.getTransactionCount({ address: from, blockTag: "pending" });
    // What took its place in the pool is not mined yet: only then is it known what became of this one.
    return pending > nonce ? {} : { state: "unsent" };
  });
}
