/** What a buyer decides about an offer, as typed: every field read, or what is wrong with it. */
import type { Token } from "../../../runner/chain/erc20.ts";
import type { Address, Offer } from "../../../runner/protocol/typedData.ts";
import { failureOf, withHint } from "../failure.ts";
import { typedAddress } from "../layout/typedAddress.ts";
import { typedAmount } from "../layout/typedAmount.ts";

export interface TermsFields {
  /** With its unit. */
  amount: string;
  hours: string;
  signer: string;
}

/** What was read; a field that cannot be is in `problems`. */
export interface Terms {
  amount?: bigint;
  /** Seconds from now to the deadline. */
  seconds?: number;
  signer?: Address;
  problems: Partial<Record<keyof TermsFields, string>>;
}

const HOUR = 3600;
/** A hundred years: later ones are typing errors. */
const MOST_HOURS = 876_600;
/** Seconds the wallet and the chain may take: the escrow counts the least duration from the block that opens. */
const TO_OPEN = 900;

/** Rounded up to hundredths of an hour. */
const hoursOf = (seconds: number): number => Math.ceil((100 * seconds) / HOUR) / 100;

/** Fewest hours that can be typed. */
function leastHours({ minDuration }: Pick<Offer, "minDuration">): number {
  return hoursOf(Number(minDuration) + TO_OPEN);
}

/** Hours to start with. */
export function usualHours({ minDuration }: Pick<Offer, "minDuration">): string {
  return String(hoursOf(Number(minDuration) + HOUR));
}

/** Reads every field. */
export function readTerms(fields: TermsFields, offer: Pick<Offer, "minDuration">, token: Token): Terms {
  const terms: Terms = { problems: {} };
  try {
    terms.amount = typedAmount(fields.amount, token, "amount");
  } catch (error) {
    terms.problems.amount = withHint(failureOf(error));
  }
  const hours = /^[0-9]{1,6}(\.[0-9]{1,6})?$/.test(fields.hours.trim()) ? Number(fields.hours) : 0;
  const least = leastHours(offer);
  if (hours >= least && hours < MOST_HOURS) terms.seconds = Math.ceil(hours * HOUR);
  else
    terms.problems.hours =
      hours < least
        ? `at least ${least}, which leaves a quarter of an hour to open it`
        : "less than a century";
  const signer = typedAddress(fields.signer);
  if (signer !== undefined) terms.signer = signer;
  else terms.problems.signer = "an address, as your client prints it";
  return terms;
}
