/** Where an agreement's money came from and went. Amounts in the token's smallest unit. */
import type { AgreementFacts } from "./facts.ts";

export interface Money {
  /** Paid in by the buyer at opening. */
  fee: bigint;
  amount: bigint;
  /** Credited to payout by receipts, in the order settled. */
  earned: bigint;
  returned: bigint;
  /** In the escrow for this agreement still. */
  held: bigint;
  /** What does not add up. */
  problems: string[];
}

/** What a receipt is worth: tokens at the price, never above what was paid in. */
function worth(tokens: bigint, price: bigint, amount: bigint): bigint {
  const owed = tokens * price;
  return owed < amount ? owed : amount;
}

/** The agreement's money by its events, and where storage or the protocol's rule says otherwise. */
export function moneyOf({ opening, now, receipts, returned }: AgreementFacts): Money {
  const { amount, offer } = opening;
  const problems: string[] = [];
  const settled = receipts
    .flatMap((receipt) => (receipt.settled === null ? [] : [receipt.settled]))
    .sort((a, b) => a.position - b.position);
  let earned = 0n;
  for (const { tokens, credited, paid } of settled) {
    const due = worth(tokens, offer.pricePerToken, amount);
    const more = due > earned ? due - earned : 0n;
    if (credited !== more)
      problems.push(`a receipt of ${tokens} tokens was credited ${credited}, due are ${more}`);
    earned += credited;
    if (paid !== earned) problems.push(`paid is ${paid} after credits of ${earned}`);
  }
  if (now.paid !== earned)
    problems.push(`the escrow has ${now.paid} as paid, its receipts credited ${earned}`);
  if (now.amount !== amount) problems.push(`the escrow has ${now.amount} as paid in, ${amount} were`);
  const ended = now.status === "refunded" || now.status === "released" ? now.status : null;
  if (ended !== (returned?.how ?? null))
    problems.push(
      `the escrow has it as ${now.status}, its events say ${returned?.how ?? "nothing came back"}`,
    );
  const back = returned?.amount ?? 0n;
  if (returned !== null && back !== amount - earned)
    problems.push(`${back} went back to the buyer, ${amount - earned} were left`);
  return { fee: offer.openingFee, amount, earned, returned: back, held: amount - earned - back, problems };
}
