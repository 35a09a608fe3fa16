/** The events of one agreement. */
import type { Agreement } from "../../../runner/chain/agreements.ts";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { type Found, findEvents } from "../../../runner/chain/events.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";

/** Withdrawals of an account that has credit from the agreement. */
function withdrawalsOf(
  ctx: ChainContext,
  account: Hex,
  token: Hex,
  fromBlock: bigint,
): Promise<Found<"escrow", "Withdrawn">> {
  return findEvents(ctx, "escrow", "Withdrawn", { account, token }, { fromBlock });
}

/** All events of one agreement from its opening to the block its state was read at: what comes later would contradict it. */
export async function eventsOf(
  ctx: ChainContext,
  agreementId: Hex,
  now: Agreement,
  { fromBlock, toBlock }: { fromBlock: bigint; toBlock: bigint },
) {
  const mine = { agreementId };
  const since = { fromBlock };
  const [groups, settled, closing, refunded, released, ...withdrawn] = await Promise.all([
    findEvents(ctx, "escrow", "GroupsSettled", mine, since),
    findEvents(ctx, "escrow", "ReceiptSettled", mine, since),
    findEvents(ctx, "escrow", "AgreementClosing", mine, since),
    findEvents(ctx, "escrow", "AgreementRefunded", mine, since),
    findEvents(ctx, "escrow", "AgreementReleased", mine, since),
    ...[...new Set([now.payout, now.buyer])].map((account) =>
      withdrawalsOf(ctx, account, now.token, fromBlock),
    ),
  ]);
  const until = <Event extends { blockNumber: bigint }>(events: readonly Event[]): Event[] =>
    events.filter(({ blockNumber }) => blockNumber <= toBlock);
  return {
    groups: until(groups),
    settled: until(settled),
    closing: until(closing),
    refunded: until(refunded),
    released: until(released),
    withdrawn: until(withdrawn.flat()),
  };
}
