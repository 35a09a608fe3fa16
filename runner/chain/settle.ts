/** Settling a receipt: its proofs in as few transactions as their gas allows, those already accepted left out. */
import { encodeFunctionData, type Hash, parseEventLogs } from "viem";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { messageDigest, type Receipt } from "../protocol/typedData.ts";
import type { Claim } from "../wire/messages.ts";
import { settledGroups } from "./agreements.ts";
import { type ChainContext, domainOf } from "./connect.ts";
import { loraEscrowAbi } from "./generated/abi.ts";
import { waitForEarlier } from "./replace.ts";
import {
  type Call,
  estimateGas,
  type SendOptions,
  type SentTransaction,
  TRANSACTION_GAS_LIMIT,
  transact,
  WAIT_MS,
} from "./transact.ts";

/**
 * Most gas one claim costs: a pairing (34,000), two multiplications and additions on the curve, its calldata and the
 * rest around it. Keeps the first guess of a chunk below what nodes estimate at all.
 */
const GAS_PER_CLAIM = 70_000n;

export interface ReceiptToSettle {
  agreementId: Hex;
  receipt: Receipt;
  /** The buyer's, of the receipt. */
  signature: Hex;
  /** Statements of all groups in order: 64-byte points as two words each. */
  V: readonly (readonly [bigint, bigint])[];
  /** Proofs, of all groups or of some. */
  claims: readonly Claim[];
}

export interface Settled {
  /** Empty when everything was settled before. */
  transactions: { txHash: Hash; gasUsed: bigint; groups: number[] }[];
  gasUsed: bigint;
  /** The transaction that completed the receipt; null when groups are missing, or were settled before. */
  txHash: Hash | null;
  /** Credited to payout by it. */
  credited: bigint;
}

function settleCall(ctx: ChainContext, settlement: ReceiptToSettle, claims: readonly Claim[]): Call {
  const { agreementId, receipt, signature, V } = settlement;
  return {
    to: ctx.deployment.escrow,
    data: encodeFunctionData({
      abi: loraEscrowAbi,
      functionName: "settle",
      args: [agreementId, receipt, signature, V, claims],
    }),
  };
}

/** The claims of groups that are not settled yet, in order. */
async function claimsLeft(ctx: ChainContext, settlement: ReceiptToSettle): Promise<Claim[]> {
  const { agreementId, receipt, V, claims } = settlement;
  const receiptHash = messageDigest(domainOf(ctx), "Receipt", receipt);
  const settled = await settledGroups(ctx, agreementId, receiptHash, V.length);
  return claims.filter(({ group }) => !settled.has(group)).sort((a, b) => a.group - b.group);
}

/** The longest beginning of `claims` that fits, by halves. */
async function nextChunk(
  ctx: ChainContext,
  settlement: ReceiptToSettle,
  claims: readonly Claim[],
  maxGas: bigint,
  sending: SendOptions,
): Promise<Claim[]> {
  const guess = maxGas / GAS_PER_CLAIM;
  let size = Math.min(claims.length, guess < 1n ? 1 : Number(guess));
  for (;;) {
    const chunk = claims.slice(0, size);
    const gas = await estimateGas(ctx, settleCall(ctx, settlement, chunk), sending);
    if (gas <= maxGas) return chunk;
    if (size === 1)
      throw new DeltapayError("settle/too-much-gas", `one proof needs ${gas} gas, more than ${maxGas}`, {
        field: "maxGas",
        hint: "register the adapter with fewer groups: --modules-per-proof",
      });
    size = Math.ceil(size / 2);
  }
}

export interface SettleOptions {
  /** Of one transaction; default: the limit of EIP-7825 less a fifth. */
  maxGas?: bigint;
  /** Hears of each transaction before any node does; it must be durable when this returns. */
  onSent?: (sent: SentTransaction) => void;
  /** The last transaction of this receipt that an earlier try sent: found, or replaced. */
  earlier?: SentTransaction;
  /** Milliseconds a transaction may take to be mined before it is replaced. Default 3 minutes. */
  waitMs?: number;
  onChunk?: (settledGroups: number, allGroups: number) => void;
}

/**
 * Settles a receipt, by the contributor or its operator. Safe to repeat: accepted groups are left out, and what `earlier`
 * left unmined is replaced.
 * @throws DeltapayError `contract/...`, `settle/too-much-gas`, `chain/not-mined`, `chain/stuck`, `chain/queued`, `chain/...`, `account/missing`
 */
export async function settle(
  ctx: ChainContext,
  settlement: ReceiptToSettle,
  options: SettleOptions = {},
): Promise<Settled> {
  const { maxGas = (TRANSACTION_GAS_LIMIT * 4n) / 5n, earlier, waitMs = WAIT_MS } = options;
  const replaces = earlier && (await waitForEarlier(ctx, earlier, waitMs));
  let sending: SendOptions = {
    ...(options.onSent && { onSent: options.onSent }),
    ...(replaces && { replaces }),
  };
  let left = await claimsLeft(ctx, settlement);
  const done: Settled = { transactions: [], gasUsed: 0n, txHash: null, credited: 0n };
  while (left.length > 0) {
    const chunk = await nextChunk(ctx, settlement, left, maxGas, sending);
    const call = settleCall(ctx, settlement, chunk);
    const { txHash, gasUsed, logs } = await transact(ctx, call, { ...sending, waitMs });
    const { replaces: _, ...next } = sending;
    sending = next;
    done.transactions.push({ txHash, gasUsed, groups: chunk.map(({ group }) => group) });
    done.gasUsed += gasUsed;
    const [complete] = parseEventLogs({ abi: loraEscrowAbi, logs, eventName: "ReceiptSettled" });
    if (complete !== undefined) {
      done.txHash = txHash;
      done.credited = complete.args.credited;
    }
    left = left.slice(chunk.length);
    options.onChunk?.(settlement.V.length - left.length, settlement.V.length);
  }
  return done;
}
