/** Asks a wallet for a transaction and follows it to its end; safe to repeat after a reload at any point. */
import type { Hash, Hex } from "viem";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { onChain } from "../../../runner/chain/errors.ts";
import { type Call, TRANSACTION_GAS_LIMIT } from "../../../runner/chain/transact.ts";
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import { errorOf, failureOf } from "../failure.ts";
import { isRejection, walletError } from "../wallet/errors.ts";
import { exclusively, type Locks } from "./exclusive.ts";
import { lookAt } from "./look.ts";
import { isUnderWay, newRecord, type TransactionRecord } from "./record.ts";
import type { TransactionStore } from "./store.ts";

/** What a connected wallet does for the page. */
export interface Wallet {
  address: Hex;
  /** Shows the call to the person; resolves when it is sent. */
  send(call: Call & { gas: bigint }): Promise<Hash>;
}

/** Everything sending needs. */
export interface Sending {
  ctx: ChainContext;
  wallet: Wallet;
  store: TransactionStore;
  locks: Locks | undefined;
  /** Between two looks at the chain, milliseconds. */
  pollMs: number;
  /** Stops following; what was sent stays sent. */
  signal?: AbortSignal;
}

export interface Request {
  /** Names what is done: `settle-0x…`; one transaction of a purpose at a time. */
  purpose: string;
  label: string;
  call: Call;
  groups?: number[];
}

/**
 * Gas a call would use now.
 * @throws DeltapayError `contract/...` with the contract's reason in words, `chain/...`
 */
export function estimate(ctx: ChainContext, from: Hex, call: Call): Promise<bigint> {
  return onChain(ctx, () => ctx.publicClient.estimateGas({ account: from, ...call }));
}

/** Room for what changes until the transaction is mined. */
function withMargin(gas: bigint): bigint {
  const padded = gas + gas / 5n;
  return padded < TRANSACTION_GAS_LIMIT ? padded : TRANSACTION_GAS_LIMIT;
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** Looks in a row without a trace of what the wallet sent: by its own node, from which this page's hears later. */
const LOOKS_TO_LOSE = 15;

/** Follows the newest transaction of a purpose until it is mined, displaced or lost. */
async function follow(sending: Sending, purpose: string): Promise<TransactionRecord> {
  const { ctx, store, pollMs, signal } = sending;
  let missed = 0;
  for (;;) {
    signal?.throwIfAborted();
    const record = store.last(purpose)!;
    if (!isUnderWay(record)) return record;
    let changes: Partial<TransactionRecord> = {};
    try {
      changes = await lookAt(ctx, record);
    } catch (error) {
      // The chain may answer again, also one that has had too many questions; what was sent is not lost meanwhile.
      if (!(error instanceof DeltapayError && error.code.startsWith("chain/"))) throw error;
    }
    missed = record.hash !== undefined && changes.state === "unsent" ? missed + 1 : 0;
    if (missed > 0 && missed < LOOKS_TO_LOSE) changes = {};
    if (Object.keys(changes).length > 0) store.update(purpose, changes);
    else await pause(pollMs, signal);
  }
}

/** The nonce the wallet gave a transaction; undefined while the node does not know it. */
async function nonceOf({ ctx }: Sending, hash: Hash): Promise<number | undefined> {
  try {
    return (await ctx.publicClient.getTransaction({ hash })).nonce;
  } catch {
    return undefined;
  }
}

/** Asks the wallet. The record is durable before the wallet hears of it. */
async function ask(sending: Sending, request: Request, gas: bigint): Promise<void> {
  const { ctx, wallet, store } = sending;
  const { purpose, label, call, groups } = request;
  const { nonce, sinceBlock } = await onChain(ctx, async () => ({
    nonce: await ctx.publicClient.getTransactionCount({ address: wallet.address, blockTag: "pending" }),
    sinceBlock: await ctx.publicClient.getBlockNumber(),
  }));
  const now = Date.now();
  const details = { label, from: wallet.address, nonce, sinceBlock, now, ...(groups && { groups }) };
  store.add(purpose, newRecord(call, details));
  try {
    const hash = await wallet.send({ ...call, gas: withMargin(gas) });
    const given = await nonceOf(sending, hash);
    store.update(purpose, { state: "pending", hash, ...(given === undefined ? {} : { nonce: given }) });
  } catch (error) {
    const failure = walletError(error);
    // Anything but a clear no may have been sent all the same: the chain is asked.
    const changes = isRejection(error)
      ? { state: "unsent" as const }
      : await lookAt(ctx, store.last(purpose)!);
    if (store.update(purpose, { failure: failureOf(failure), ...changes }).state === "unsent") throw failure;
  }
}

/** What a finished transaction means to whoever asked for it. */
function conclude(record: TransactionRecord): TransactionRecord {
  if (record.state === "confirmed") return record;
  if (record.state === "reverted" && record.failure !== undefined) throw errorOf(record.failure);
  if (record.state === "cancelled")
    throw new DeltapayError("transaction/cancelled", "the transaction was cancelled in the wallet", {
      hint: "nothing was changed; send again when you are ready",
    });
  const by = record.minedHash === undefined ? "" : `: ${record.minedHash}`;
  if (record.state === "replaced")
    throw new DeltapayError("transaction/replaced", `another transaction took its place${by}`, {
      hint: "this one will never be mined; send again if it is still wanted",
    });
  throw new DeltapayError(
    "transaction/lost",
    "this page's node does not have the transaction, nor any block",
    {
      hint: "look into the wallet, and send again only if it is not on its way there",
    },
  );
}

/**
 * Goes on with what an earlier visit left under way; undefined when nothing was.
 * @throws DeltapayError `contract/...`, `transaction/...`, `chain/...`
 */
export async function resume(sending: Sending, purpose: string): Promise<TransactionRecord | undefined> {
  const last = sending.store.last(purpose);
  if (last === undefined || !isUnderWay(last)) return undefined;
  const record = await follow(sending, purpose);
  // It never left the wallet: there is nothing to report, the person may ask again.
  return record.state === "unsent" && record.hash === undefined ? undefined : conclude(record);
}

/** Sends one transaction of a purpose whose lock is held. @throws as `sendOnce` */
export async function sendLocked(
  sending: Sending,
  request: Request,
  gas?: bigint,
): Promise<TransactionRecord> {
  await ask(sending, request, gas ?? (await estimate(sending.ctx, sending.wallet.address, request.call)));
  return conclude(await follow(sending, request.purpose));
}

/** Name of the lock of a purpose: one account's. */
export function lockName({ ctx, wallet }: Sending, purpose: string): string {
  return `${ctx.chainId}:${wallet.address.toLowerCase()}:${purpose}`;
}

/**
 * Follows what an earlier visit left under way, and sends nothing.
 * @throws DeltapayError as `resume`, `tab/busy`
 */
export function resumeOnce(sending: Sending, purpose: string): Promise<TransactionRecord | undefined> {
  return exclusively(sending.locks, lockName(sending, purpose), () => resume(sending, purpose));
}

/**
 * Sends a call once: when an earlier visit left the same purpose under way, that one is followed instead.
 * @returns the confirmed transaction
 * @throws DeltapayError `contract/...`, `wallet/...`, `transaction/...`, `tab/busy`, `chain/...`
 */
export function sendOnce(sending: Sending, request: Request): Promise<TransactionRecord> {
  return exclusively(
    sending.locks,
    lockName(sending, request.purpose),
    async () => (await resume(sending, request.purpose)) ?? sendLocked(sending, request),
  );
}
