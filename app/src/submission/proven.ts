/** Which groups of a receipt are proven, and by which transaction, from the escrow's events. */
import type { Hash } from "viem";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { findEvents } from "../../../runner/chain/events.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { groupsOfBits } from "../chain/groupBits.ts";

/** The parts of a GroupsSettled event that matter. */
export interface GroupsSettled {
  args: { word: bigint; bits: bigint };
  transactionHash: Hash;
  blockNumber: bigint;
}

export interface ProvenGroup {
  txHash: Hash;
  blockNumber: bigint;
}

/** Group by group what proved it. */
export function foldProven(events: readonly GroupsSettled[]): Map<number, ProvenGroup> {
  const proven = new Map<number, ProvenGroup>();
  for (const { args, transactionHash: txHash, blockNumber } of events)
    for (const group of groupsOfBits(args.word, args.bits)) proven.set(group, { txHash, blockNumber });
  return proven;
}

/** Whether all is proven. @param groups as registered, where that is known: a bundle that is cut short names fewer */
export function provenWhole(
  proven: ReadonlyMap<number, ProvenGroup> | undefined,
  groups: number | undefined,
): boolean {
  return groups !== undefined && proven?.size === groups;
}

/** @param fromBlock block of the agreement's opening, or any before. @throws DeltapayError `chain/...` */
export async function readProven(
  ctx: ChainContext,
  agreementId: Hex,
  receiptHash: Hex,
  fromBlock?: bigint,
): Promise<Map<number, ProvenGroup>> {
  const args = { agreementId, receiptHash };
  const options = fromBlock === undefined ? {} : { fromBlock };
  return foldProven(await findEvents(ctx, "escrow", "GroupsSettled", args, options));
}
