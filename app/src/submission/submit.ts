/** Submitting a receipt's proofs by a wallet: as many transactions as their gas needs, each group once, whatever happens. */
import {
  claimsLeft,
  nextChunk,
  type ReceiptToSettle,
  receiptHash,
  SETTLE_GAS_LIMIT,
  settleCall,
} from "../../../runner/chain/claims.ts";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { exclusively } from "../transactions/exclusive.ts";
import type { TransactionRecord } from "../transactions/record.ts";
import { estimate, lockName, resume, type Sending, sendLocked } from "../transactions/send.ts";

/** Under which the transactions of a receipt are remembered. */
export function settlePurpose(hash: Hex): string {
  return `settle-${hash}`;
}

/** What settling would send next. */
export interface SettlePlan {
  /** Groups not yet proven. */
  left: number[];
  /** Groups of the first transaction, and its gas; null when none are left. */
  next: { groups: number[]; gas: bigint } | null;
  /** Transactions in all, if the others hold as many proofs. */
  transactions: number;
  /** Gas in all, by the first transaction's share. */
  gas: bigint;
}

/**
 * What is left to send, and what it would cost now.
 * @throws DeltapayError `contract/...` when the escrow would refuse, `settle/too-much-gas`, `chain/...`
 */
export async function planSettlement(
  ctx: ChainContext,
  from: Hex,
  settlement: ReceiptToSettle,
  maxGas: bigint = SETTLE_GAS_LIMIT,
): Promise<SettlePlan> {
  const left = await claimsLeft(ctx, settlement);
  const groups = left.map(({ group }) => group);
  if (left.length === 0) return { left: groups, next: null, transactions: 0, gas: 0n };
  const { chunk, gas } = await nextChunk(left, maxGas, (claims) =>
    estimate(ctx, from, settleCall(ctx, settlement, claims)),
  );
  return {
    left: groups,
    next: { groups: groups.slice(0, chunk.length), gas },
    transactions: Math.ceil(left.length / chunk.length),
    gas: (gas * BigInt(left.length)) / BigInt(chunk.length),
  };
}

/** `group 3`, `groups 0 to 23`, or a count when they are not in a row. */
export function groupsLabel(groups: readonly number[]): string {
  const [first, last] = [groups[0], groups.at(-1)];
  if (groups.length === 1) return `group ${first}`;
  return last! - first! === groups.length - 1 ? `groups ${first} to ${last}` : `${groups.length} groups`;
}

/**
 * Sends what is left of a receipt, transaction by transaction. Repeating it is safe at any point: what an earlier visit or
 * another machine sent is followed or left out.
 * @param settlement verified before
 * @returns transactions that were confirmed during this call
 * @throws DeltapayError `contract/...`, `wallet/...`, `transaction/...`, `tab/busy`, `chain/...`
 */
export function submitProofs(
  sending: Sending,
  settlement: ReceiptToSettle,
  maxGas: bigint = SETTLE_GAS_LIMIT,
): Promise<TransactionRecord[]> {
  const { ctx, wallet } = sending;
  const purpose = settlePurpose(receiptHash(ctx, settlement.receipt));
  return exclusively(sending.locks, lockName(sending, purpose), async () => {
    const done: TransactionRecord[] = [];
    const earlier = await resume(sending, purpose);
    if (earlier !== undefined) done.push(earlier);
    for (;;) {
      sending.signal?.throwIfAborted();
      // A node that lags behind the one that told of a block must not have a chunk sent again.
      const sent = new Set(done.flatMap(({ groups = [] }) => groups));
      const left = (await claimsLeft(ctx, settlement)).filter(({ group }) => !sent.has(group));
      if (left.length === 0) return done;
      const { chunk, gas } = await nextChunk(left, maxGas, (claims) =>
        estimate(ctx, wallet.address, settleCall(ctx, settlement, claims)),
      );
      const groups = chunk.map(({ group }) => group);
      const request = {
        purpose,
        label: `Settle ${groupsLabel(groups)}`,
        call: settleCall(ctx, settlement, chunk),
        groups,
      };
      done.push(await sendLocked(sending, request, gas));
    }
  });
}
