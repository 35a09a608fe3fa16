/** What happened, for people: who, how much, which modules. Names are the contributor's own and not to be trusted. */
import type { Hex } from "./primitives/bytes.ts";
import type { Subject } from "./subject.ts";

export interface Summary {
  buyer: Hex;
  contributor: Hex | null;
  payout: Hex;
  /** Zero for ETH. */
  token: Hex;
  openingFee: bigint;
  amount: bigint;
  pricePerToken: bigint;
  paid: bigint;
  returned: bigint;
  status: string;
  passes: bigint;
  tokens: bigint;
  /** Of the block; null when the node does not have the transaction it named. */
  settlements: { transaction: Hex; timestamp: bigint | null; groups: number; credited: bigint }[];
}

/** As the events tell it; the checks say whether that is so. */
export async function summaryOf(subject: Subject): Promise<Summary> {
  const { opened, events } = subject;
  const settled = events.filter(({ name }) => name === "ReceiptSettled");
  const back = events.find(({ name }) => name === "AgreementRefunded" || name === "AgreementReleased");
  const last = settled.at(-1)?.args;
  const covered = subject.paidEvent?.args;
  const registered = await subject.registered().catch(() => undefined);
  const stored = await subject.stored().catch(() => undefined);
  const settlements = await Promise.all(
    settled.map(async ({ args, log }) => ({
      transaction: log.transactionHash,
      timestamp: await subject.transaction(log.transactionHash).then(
        (transaction) => transaction.timestamp,
        () => null,
      ),
      groups: Number(registered?.groups ?? 0),
      credited: args["credited"] as bigint,
    })),
  );
  const { payout, token, openingFee, pricePerToken } = opened.offer;
  return {
    ...{
      buyer: opened.buyer,
      contributor: registered?.contributor ?? null,
      payout,
      token,
      openingFee,
      pricePerToken,
    },
    amount: opened.amount,
    paid: (last?.["paid"] as bigint | undefined) ?? 0n,
    returned: (back?.args["amount"] as bigint | undefined) ?? 0n,
    status: stored?.status ?? "unknown",
    passes: (covered?.["passes"] as bigint | undefined) ?? 0n,
    tokens: (covered?.["tokens"] as bigint | undefined) ?? 0n,
    settlements,
  };
}
