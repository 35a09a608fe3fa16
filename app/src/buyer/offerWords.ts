/** What an offer means, in plain words. Pure: the page and its tests read the same sentences. */
import type { Offer } from "../../../runner/protocol/typedData.ts";
import { duration } from "../layout/time.ts";

const count = (value: bigint): string => value.toLocaleString();

/** Sentences on money, limits and time; `amount` writes an amount with its unit, `time` a moment. */
export function offerSentences(
  offer: Offer,
  amount: (value: bigint) => string,
  time: (seconds: bigint) => string,
): string[] {
  const { pricePerToken, openingFee, maxUnpaidTokens, tokenCap, minDuration, closeWindow } = offer;
  const all = tokenCap * pricePerToken;
  return [
    pricePerToken === 0n
      ? "A token costs nothing."
      : `A token costs ${amount(pricePerToken)}; all ${count(tokenCap)} tokens cost ${amount(all)}.`,
    openingFee === 0n
      ? "Opening is free."
      : `Opening costs ${amount(openingFee)} at once. It is paid without proof and never returned.`,
    `The contributor serves at most ${count(maxUnpaidTokens)} tokens before the next signed receipt, ${count(tokenCap)} in all.`,
    `An agreement runs for at least ${duration(Number(minDuration))}. What no proof has earned by its deadline can be taken back.`,
    `The buyer can end it at any time; the contributor then has ${duration(Number(closeWindow))} to prove what was receipted.`,
    `It can be taken ${offer.maxOpens === 1n ? "once" : `${count(offer.maxOpens)} times`} until ${time(offer.expiry)}.`,
  ];
}

export const GUARANTEED = [
  "Money moves only for tokens whose answers were proven to come from the adapter as it was registered.",
  "What is not earned by the deadline is yours to take back; nobody else can take it.",
  "The terms cannot change after they are signed.",
] as const;

export const NOT_GUARANTEED = [
  "That the adapter is any good: try a little first.",
  "The opening fee: it is paid whatever follows.",
  "That your activations stay secret from the contributor: it sees them.",
  "That your own run of the base model is right.",
] as const;

/** Most tokens `amount` pays for under an offer. */
export function tokensFor(offer: Pick<Offer, "pricePerToken" | "tokenCap">, amount: bigint): bigint {
  if (offer.pricePerToken === 0n) return offer.tokenCap;
  const tokens = amount / offer.pricePerToken;
  return tokens < offer.tokenCap ? tokens : offer.tokenCap;
}
