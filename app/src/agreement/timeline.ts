/** What happened to an agreement, in order. */
import type { AgreementFacts, Place } from "./facts.ts";

export interface Happening {
  kind:
    | "registered"
    | "opened"
    | "proofs"
    | "settled"
    | "closing"
    | "refunded"
    | "released"
    | "withdrawn"
    | "deadline";
  /** Who or how much, in words without amounts: those are in `amount`. */
  detail: string;
  /** Smallest unit of the agreement's token. */
  amount?: bigint;
  time: bigint;
  /** Not there for the deadline, which no transaction makes. */
  at?: Place;
}

const groups = (count: number): string => (count === 1 ? "1 proof" : `${count} proofs`);

/** Oldest first; the deadline stands where it falls, also in the future. */
export function timelineOf(facts: AgreementFacts): Happening[] {
  const { registration, opening, receipts, closing, returned, withdrawals, now } = facts;
  const placed = (kind: Happening["kind"], at: Place, detail: string, amount?: bigint): Happening => ({
    kind,
    detail,
    time: at.time,
    at,
    ...(amount === undefined ? {} : { amount }),
  });
  const all: Happening[] = [
    placed("registered", registration.at, `adapter committed, ${groups(registration.groups)} a receipt`),
    placed("opened", opening.at, "the buyer paid in", opening.amount + opening.offer.openingFee),
  ];
  for (const { submissions, settled } of receipts) {
    for (const { at, groups: sent } of submissions)
      if (settled?.at.txHash !== at.txHash) all.push(placed("proofs", at, `${groups(sent.length)} accepted`));
    if (settled !== null)
      all.push(
        placed("settled", settled.at, `receipt of ${settled.tokens} tokens proven whole`, settled.credited),
      );
  }
  if (closing !== null) all.push(placed("closing", closing.at, "the buyer asked to end it"));
  if (returned !== null)
    all.push(
      placed(
        returned.how,
        returned.at,
        returned.how === "refunded" ? "after the deadline, to the buyer" : "by the contributor, to the buyer",
        returned.amount,
      ),
    );
  for (const { account, amount, at } of withdrawals)
    all.push(
      placed(
        "withdrawn",
        at,
        account.toLowerCase() === now.buyer.toLowerCase() ? "by the buyer" : "by the payout account",
        amount,
      ),
    );
  if (now.status === "open" || now.status === "closing")
    all.push({ kind: "deadline", detail: "last moment for proofs", time: now.deadline });
  return all.sort((a, b) => {
    const later = Number(a.time - b.time);
    return later !== 0 ? later : Number((a.at?.blockNumber ?? 0n) - (b.at?.blockNumber ?? 0n));
  });
}
