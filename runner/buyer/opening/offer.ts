/** Checking a contributor's terms before they are accepted (protocol 6). */
import type { Hex } from "../../protocol/bytes.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import type { AdapterLayout } from "../../protocol/layout.ts";
import { extractionTokens } from "../../protocol/leakage.ts";
import {
  type Address,
  checkSignature,
  type Domain,
  type Offer,
  offerHash,
} from "../../protocol/typedData.ts";
import type { SignedOffer } from "../../wire/messages.ts";
import { unixNow } from "../clock.ts";

export interface OfferContext {
  domain: Domain;
  adapterId: Hex;
  /** From the registry. */
  contributor: Address;
  layout: AdapterLayout;
  /** What the buyer means to pay in besides the fee. */
  amount?: bigint;
  /** Largest opening fee to pay, smallest units. Default: `defaultMaxFee` of what is paid in. */
  maxFee?: bigint;
  /** Unix seconds. Default: the clock. */
  now?: bigint;
}

export interface CheckedOffer {
  hash: Hex;
  /** What the buyer risks. */
  warnings: string[];
  /** What the contributor risks: an offer it may not stand by for long. */
  contributorWarnings: string[];
}

const DAY = 24n * 3600n;
const WEEK = 7n * DAY;
const ZERO_ADDRESS = `0x${"0".repeat(40)}`;

/**
 * The opening fee that is paid without asking: no more than the unpaid tokens it insures the contributor against are
 * worth, and no more than what is paid in.
 */
export function defaultMaxFee(
  offer: Pick<Offer, "maxUnpaidTokens" | "pricePerToken">,
  amount: bigint,
): bigint {
  const unpaid = offer.maxUnpaidTokens * offer.pricePerToken;
  return unpaid < amount ? unpaid : amount;
}

/**
 * Refuses an opening fee the buyer did not agree to: it is gone without proof.
 * @param amount paid in besides, smallest units
 * @throws DeltapayError `offer/fee-too-high`
 */
export function checkFee(offer: Offer, amount: bigint, maxFee = defaultMaxFee(offer, amount)): void {
  if (offer.openingFee > maxFee)
    throw new DeltapayError(
      "offer/fee-too-high",
      `the opening fee is ${offer.openingFee}, the most to be paid ${maxFee} (in the token's smallest unit)`,
      {
        field: "openingFee",
        hint: `it is paid at once and never returned; --max-fee ${offer.openingFee} (maxFee) accepts it`,
      },
    );
}

/** The longest time that a closed agreement may keep the money without asking, seconds. */
export const DEFAULT_MAX_LOCK = 4n * WEEK;

/**
 * Refuses an agreement that would keep the money of a buyer who has closed it: the offer's closeWindow is the contributor's
 * choice, and while it runs nobody else can give anything back.
 * @param duration to the deadline, seconds
 * @throws DeltapayError `offer/locks-too-long`
 */
export function checkLock({ closeWindow }: Offer, duration: bigint, maxLock = DEFAULT_MAX_LOCK): void {
  const lock = closeWindow < duration ? closeWindow : duration;
  const days = (lock + DAY - 1n) / DAY;
  if (lock > maxLock)
    throw new DeltapayError(
      "offer/locks-too-long",
      `after closing, the money could stay locked for up to ${days} days`,
      {
        field: "closeWindow",
        hint: `only the contributor could release it sooner; --max-lock ${days}d (maxLock) accepts it`,
      },
    );
}

/**
 * Checks what an offer says by itself: its signature, adapter, expiry and terms.
 * @param context `amount` as far as it is decided
 * @returns the offer's hash
 * @throws DeltapayError `signature/...`, `offer/other-adapter`, `offer/expired`, `offer/unusable` naming the field
 */
export async function checkOfferTerms(
  { offer, signature }: SignedOffer,
  context: Omit<OfferContext, "layout" | "maxFee">,
): Promise<Hex> {
  const { domain, adapterId, contributor, now = unixNow() } = context;
  const fail = (code: string, field: string, message: string, hint: string): never => {
    throw new DeltapayError(`offer/${code}`, message, { field: `offer.${field}`, hint });
  };
  await checkSignature(domain, "Offer", offer, signature, contributor);
  if (offer.adapterId.toLowerCase() !== adapterId.toLowerCase())
    fail("other-adapter", "adapterId", "the offer is for another adapter", "ask for an offer for this one");
  if (offer.expiry < now)
    fail("expired", "expiry", "the offer can no longer be taken", "ask the contributor for a new one");
  const useless = "nothing could be served or paid under this offer";
  if (offer.payout === ZERO_ADDRESS) fail("unusable", "payout", "the payout address is zero", useless);
  for (const field of ["maxUnpaidTokens", "tokenCap", "maxOpens"] as const)
    if (offer[field] === 0n) fail("unusable", field, `${field} is zero`, useless);
  if (((context.amount ?? 0n) + offer.openingFee) >> 128n !== 0n)
    fail("unusable", "openingFee", "fee and amount do not fit in 128 bits", "pay in less");
  return offerHash(offer);
}

/**
 * Checks an offer's signature, adapter, expiry and terms; where `amount` or `maxFee` is given, its fee too.
 * @throws DeltapayError as `checkOfferTerms`, `offer/fee-too-high`
 */
export async function checkOffer(signed: SignedOffer, context: OfferContext): Promise<CheckedOffer> {
  const hash = await checkOfferTerms(signed, context);
  const { amount, maxFee } = context;
  if (amount !== undefined || maxFee !== undefined) checkFee(signed.offer, amount ?? 0n, maxFee);
  return {
    hash,
    warnings: buyerWarnings(signed, context),
    contributorWarnings: contributorWarnings(signed, context.layout),
  };
}

/** Writes an amount of the offer's token. */
export type WriteAmount = (value: bigint) => string;

/** What a buyer of the offer risks. @param write default: in the smallest unit */
export function buyerWarnings(
  { offer }: Pick<SignedOffer, "offer">,
  { amount }: Pick<OfferContext, "amount">,
  write: WriteAmount = String,
): string[] {
  const warnings: string[] = [];
  if (offer.openingFee > 0n)
    warnings.push("the opening fee is paid at once, without proof, and not returned");
  if (offer.closeWindow > WEEK)
    warnings.push(`after closing, the money stays locked for up to ${offer.closeWindow / 86400n} days`);
  if (offer.minDuration > 4n * WEEK)
    warnings.push(`the agreement runs for at least ${offer.minDuration / 86400n} days unless it is closed`);
  if (amount === undefined) return warnings;
  if (amount < offer.pricePerToken) warnings.push(`${write(amount)} does not pay for one token`);
  if (offer.tokenCap * offer.pricePerToken < amount)
    warnings.push(
      `only ${write(offer.tokenCap * offer.pricePerToken)} of ${write(amount)} can be spent: the offer ends at ${offer.tokenCap} tokens`,
    );
  return warnings;
}

/** What the contributor of the offer risks. */
export function contributorWarnings(
  { offer }: Pick<SignedOffer, "offer">,
  layout: Pick<AdapterLayout, "modules">,
): string[] {
  const warnings: string[] = [];
  const unpaid = offer.maxUnpaidTokens * offer.pricePerToken;
  if (offer.openingFee < unpaid)
    warnings.push(
      `the opening fee is worth ${offer.openingFee / offer.pricePerToken} tokens, a buyer can leave ${offer.maxUnpaidTokens} unpaid: that costs it little`,
    );
  const enough = extractionTokens(layout);
  if (offer.tokenCap * offer.maxOpens >= BigInt(enough))
    warnings.push(
      `${offer.tokenCap} tokens in ${offer.maxOpens === 1n ? "one agreement" : `each of ${offer.maxOpens} agreements`}: about ${enough} tokens give the adapter away`,
    );
  return warnings;
}
