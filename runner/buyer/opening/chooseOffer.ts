/** Which of several offers to take: one token's only, by what a token costs with the opening fee. */
import type { Hex } from "../../protocol/bytes.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { type Address, type Offer, offerHash } from "../../protocol/typedData.ts";
import type { SignedOffer } from "../../wire/messages.ts";
import { checkFee, defaultMaxFee } from "./offer.ts";

export interface OfferWish {
  /** Paid in besides the fee, smallest units of `token`. */
  amount: bigint;
  /** Zero for ETH. Raw units of two tokens cannot be compared. */
  token: Address;
  /** Largest opening fee. Default: `defaultMaxFee` of each offer. */
  maxFee?: bigint;
  /** Only this offer. */
  offerHash?: Hex;
}

/** Tokens `amount` buys under an offer, and what they cost with the fee. */
function priceOf({ pricePerToken, tokenCap, openingFee }: Offer, amount: bigint) {
  const affordable = pricePerToken === 0n ? tokenCap : amount / pricePerToken;
  const tokens = affordable < tokenCap ? affordable : tokenCap;
  return { tokens, cost: openingFee + pricePerToken * tokens };
}

/** Below zero when `a` costs less a token than `b`; what buys nothing comes last. */
function compareCost(a: Offer, b: Offer, amount: bigint): number {
  const [one, other] = [priceOf(a, amount), priceOf(b, amount)];
  if (one.tokens === 0n || other.tokens === 0n)
    return Number(one.tokens === 0n) - Number(other.tokens === 0n);
  const difference = one.cost * other.tokens - other.cost * one.tokens;
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

/**
 * The cheapest offer whose fee may be paid.
 * @param offers that can still be taken; not yet checked, see `checkOffer`
 * @throws DeltapayError `offer/none`, `offer/other-token`, `offer/fee-too-high`
 */
export function chooseOffer(offers: readonly SignedOffer[], wish: OfferWish): SignedOffer {
  const { amount, token, maxFee, offerHash: wanted } = wish;
  const named = offers.filter(({ offer }) => wanted === undefined || offerHash(offer) === wanted);
  if (named.length === 0)
    throw new DeltapayError("offer/none", "the contributor has no offer that can be taken", {
      field: "offer",
      hint: wanted === undefined ? "ask it for one" : "leave --offer out to take another",
    });
  const inToken = named
    .filter(({ offer }) => BigInt(offer.token) === BigInt(token))
    .sort((a, b) => compareCost(a.offer, b.offer, amount));
  const [cheapest] = inToken;
  if (cheapest === undefined)
    throw new DeltapayError("offer/other-token", "no offer is in the token to be paid with", {
      field: "token",
      hint: `they are in ${[...new Set(named.map(({ offer }) => offer.token))].join(", ")}: name one with --token`,
    });
  const modest = inToken.find(({ offer }) => offer.openingFee <= (maxFee ?? defaultMaxFee(offer, amount)));
  const chosen = modest ?? cheapest;
  checkFee(chosen.offer, amount, maxFee);
  return chosen;
}
