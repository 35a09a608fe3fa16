/** What is remembered of a transaction that a wallet was asked for, so that a reload can tell what became of it. */
import { type Hash, type Hex, keccak256 } from "viem";
import { z } from "zod";
import type { Call } from "../../../runner/chain/transact.ts";

const hash = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value));
const address = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value));
const decimal = z.string().regex(/^[0-9]{1,78}$/);

/**
 * `asking`: the wallet has the request, or had it when the page went away. `pending`: in the pool. `unsent`: neither pool nor
 * chain has it: rejected in the wallet, or forgotten by the pool. `confirmed`, `reverted`: mined. `replaced`, `cancelled`:
 * another transaction with its nonce was mined.
 */
const STATES = ["asking", "pending", "unsent", "confirmed", "reverted", "replaced", "cancelled"] as const;

export type TransactionState = (typeof STATES)[number];

export const recordSchema = z.object({
  state: z.enum(STATES),
  /** What a person calls it. */
  label: z.string().max(200),
  from: address,
  to: address,
  /** keccak256 of the calldata. */
  dataHash: hash,
  value: decimal,
  /** Once known the transaction's own; before, the least it can have. */
  nonce: z.number().int().min(0),
  /** Newest block when the wallet was asked, and Unix milliseconds then. */
  sinceBlock: decimal,
  askedAt: z.number(),
  /** Told by the wallet. */
  hash: hash.optional(),
  /** Mined in its place or as itself. */
  minedHash: hash.optional(),
  blockNumber: decimal.optional(),
  gasUsed: decimal.optional(),
  /** Why it is unsent or reverted. */
  failure: z
    .object({
      code: z.string(),
      message: z.string(),
      field: z.string().optional(),
      hint: z.string().optional(),
    })
    .optional(),
  /** Groups whose proofs it carries. */
  groups: z.array(z.number().int().min(0)).optional(),
});

export type TransactionRecord = z.output<typeof recordSchema>;

/** Whether it may still be mined as far as is known. */
export function isUnderWay({ state }: Pick<TransactionRecord, "state">): boolean {
  return state === "asking" || state === "pending";
}

/** The record of a call a wallet is about to be asked for. */
export function newRecord(
  call: Call,
  details: { label: string; from: Hex; nonce: number; sinceBlock: bigint; now: number; groups?: number[] },
): TransactionRecord {
  const { label, from, nonce, sinceBlock, now, groups } = details;
  return {
    state: "asking",
    label,
    from,
    to: call.to,
    dataHash: keccak256(call.data),
    value: (call.value ?? 0n).toString(),
    nonce,
    sinceBlock: sinceBlock.toString(),
    askedAt: now,
    ...(groups === undefined ? {} : { groups }),
  };
}

/** The little of a mined transaction that tells which call it was. */
export interface MinedCall {
  hash: Hash;
  from: Hex;
  to: Hex | null;
  input: Hex;
  value: bigint;
}

/** Whether a transaction makes the call of a record. */
export function isSameCall(
  { from, to, dataHash, value }: Pick<TransactionRecord, "from" | "to" | "dataHash" | "value">,
  mined: MinedCall,
): boolean {
  return (
    mined.from.toLowerCase() === from.toLowerCase() &&
    mined.to?.toLowerCase() === to.toLowerCase() &&
    keccak256(mined.input) === dataHash &&
    mined.value.toString() === value
  );
}

/**
 * What another transaction with the same nonce means: `same` when it was only sped up, `cancelled` when it moves nothing
 * to oneself as wallets do to cancel, else `replaced`.
 */
export function classifyMined(
  record: TransactionRecord,
  mined: MinedCall,
): "same" | "cancelled" | "replaced" {
  if (isSameCall(record, mined)) return "same";
  const nothing = mined.input === "0x" && mined.value === 0n;
  return nothing && mined.to?.toLowerCase() === record.from.toLowerCase() ? "cancelled" : "replaced";
}
