/** Settling a receipt: its proofs in as few transactions as their gas allows, those already accepted left out. */
import { type Hash, parseEventLogs } from "viem";
import { claimsLeft, nextChunk, type ReceiptToSettle, SETTLE_GAS_LIMIT, settleCall } from "./claims.ts";
import type { ChainContext } from "./connect.ts";
import { loraEscrowAbi } from "./generated/abi.ts";
import { waitForEarlier } from "./replace.ts";
import { estimateGas, type SendOptions, type SentTransaction, transact, WAIT_MS } from "./transact.ts";

export interface Settled {
  /** Empty when everything was settled before. */
  transactions: { txHash: Hash; gasUsed: bigint; groups: number[] }[];
  gasUsed: bigint;
  /** The transaction that completed the receipt; null when groups are missing, or were settled before. */
  txHash: Hash | null;
  /** Credited to payout by it. */
  credited: bigint;
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
  const { maxGas = SETTLE_GAS_LIMIT, earlier, waitMs = WAIT_MS } = options;
  const replaces = earlier && (await waitForEarlier(ctx, earlier, waitMs));
  let sending: SendOptions = {
    ...(options.onSent && { onSent: options.onSent }),
    ...(replaces && { replaces }),
  };
  let left = await claimsLeft(ctx, settlement);
  const done: Settled = { transactions: [], gasUsed: 0n, txHash: null, credited: 0n };
  while (left.length > 0) {
    const { chunk } = await nextChunk(left, maxGas, (claims) =>
      estimateGas(ctx, settleCall(ctx, settlement, claims), sending),
    );
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
