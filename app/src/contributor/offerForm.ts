/** An offer from what a contributor typed: every field read, or the field at fault named. */
import type { Token } from "../../../runner/chain/erc20.ts";
import { type Hex, readUintLE } from "../../../runner/protocol/bytes.ts";
import { DeltapayError, ensure } from "../../../runner/protocol/errors.ts";
import type { Address, Offer } from "../../../runner/protocol/typedData.ts";
import { offerSchema, stringifyMessage } from "../../../runner/wire/messages.ts";
import { typedAddress } from "../layout/typedAddress.ts";
import { typedAmount } from "../layout/typedAmount.ts";

/** As typed. Amounts with a unit; durations in hours, the expiry in days. */
export interface OfferFields {
  payout: string;
  pricePerToken: string;
  openingFee: string;
  maxUnpaidTokens: string;
  tokenCap: string;
  maxOpens: string;
  minDurationHours: string;
  closeWindowHours: string;
  expiryDays: string;
}

export const DEFAULT_FIELDS: Omit<OfferFields, "payout"> = {
  pricePerToken: "1 gwei",
  openingFee: "0",
  maxUnpaidTokens: "64",
  tokenCap: "1000",
  maxOpens: "1",
  minDurationHours: "1",
  closeWindowHours: "1",
  expiryDays: "30",
};

function bad(field: keyof OfferFields, message: string, hint: string): DeltapayError {
  return new DeltapayError("offer/bad-field", message, { field, hint });
}

/** A count of at least one. */
function readCount(fields: OfferFields, field: keyof OfferFields): bigint {
  const text = fields[field].trim();
  if (!/^[1-9][0-9]{0,18}$/.test(text))
    throw bad(field, `'${text}' is not a whole number of at least 1`, "write digits only");
  return BigInt(text);
}

/** A positive time as whole seconds. */
function readTime(fields: OfferFields, field: keyof OfferFields, unit: number): bigint {
  const text = fields[field].trim();
  const seconds = /^[0-9]{1,6}(\.[0-9]{1,6})?$/.test(text) ? Math.round(Number(text) * unit) : 0;
  if (seconds < 1) throw bad(field, `'${text}' is not a time`, "write a number, as 1 or 0.5");
  return BigInt(seconds);
}

function readPayout({ payout }: OfferFields): Address {
  const address = typedAddress(payout);
  if (address === undefined)
    throw bad(
      "payout",
      `'${payout.trim()}' is not an address to be paid at`,
      "write 0x and 40 hexadecimal digits, with a right checksum where letters are mixed",
    );
  return address.toLowerCase() as Address;
}

/**
 * @param now Unix seconds
 * @throws DeltapayError `offer/bad-field`, `usage/bad-value` naming the field
 */
export function readOffer(fields: OfferFields, adapterId: Hex, token: Token, now: number): Offer {
  const offer: Offer = {
    adapterId,
    payout: readPayout(fields),
    token: token.address.toLowerCase() as Address,
    pricePerToken: typedAmount(fields.pricePerToken, token, "pricePerToken"),
    openingFee: typedAmount(fields.openingFee, token, "openingFee"),
    maxUnpaidTokens: readCount(fields, "maxUnpaidTokens"),
    tokenCap: readCount(fields, "tokenCap"),
    maxOpens: readCount(fields, "maxOpens"),
    minDuration: readTime(fields, "minDurationHours", 3600),
    closeWindow: readTime(fields, "closeWindowHours", 3600),
    nonce: readUintLE(crypto.getRandomValues(new Uint8Array(16)), 0, 16),
    expiry: BigInt(now) + readTime(fields, "expiryDays", 86_400),
  };
  // What does not fit the wire must not be signed.
  const parsed = offerSchema.safeParse(JSON.parse(stringifyMessage(offer)));
  const issue = parsed.success ? undefined : parsed.error.issues[0]!;
  ensure(issue === undefined, "offer/bad-field", issue?.message ?? "", {
    field: issue?.path.join(".") ?? "",
  });
  return offer;
}
