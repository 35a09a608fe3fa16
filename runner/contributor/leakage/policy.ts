/** What an adapter's owner lets its buyers learn: from which ratio on it is warned or refuses, and what it is worth. */
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { Hex } from "../../protocol/bytes.ts";
import { DeltapayError, ensure } from "../../protocol/errors.ts";
import type { AdapterLayout } from "../../protocol/layout.ts";
import { extractionTokens, leastPrice } from "../../protocol/leakage.ts";
import type { Offer } from "../../protocol/typedData.ts";
import { hex, stringifyMessage, uint } from "../../wire/messages.ts";
import { first, run } from "../store/rows.ts";
import { tokensSold } from "./sold.ts";

const ratio = z.number().positive().max(1e6);

export const leakagePolicySchema = z.strictObject({
  /** Past a limit: tell the owner, or begin no more passes. */
  past: z.enum(["warn", "refuse"]),
  /** Tokens over d_in/2 of the narrowest module that all buyers together may buy. */
  maxRatio: ratio,
  /** The same for each buyer by itself. */
  maxBuyerRatio: ratio,
  /** What the adapter is worth to its owner: offers that sell it for less are not made. */
  worth: z.strictObject({ amount: uint(256), token: hex(20) }).nullable(),
});

export type LeakagePolicy = z.output<typeof leakagePolicySchema>;

/** Until the owner says otherwise. */
export const DEFAULT_POLICY: LeakagePolicy = { past: "warn", maxRatio: 1, maxBuyerRatio: 1, worth: null };

export function readPolicy(database: DatabaseSync, adapterId: Hex): LeakagePolicy {
  const sql = "SELECT policy FROM leakage_policy WHERE adapter_id = ?";
  const row = first<{ policy: string }>(database, sql, adapterId);
  return row === undefined ? DEFAULT_POLICY : leakagePolicySchema.parse(JSON.parse(row.policy));
}

/**
 * Replaces an adapter's policy; a service that runs follows at its next pass.
 * @throws DeltapayError `leakage/bad-policy`
 */
export function writePolicy(database: DatabaseSync, adapterId: Hex, policy: LeakagePolicy): void {
  const text = stringifyMessage(policy);
  const parsed = leakagePolicySchema.safeParse(JSON.parse(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new DeltapayError("leakage/bad-policy", issue.message, { field: issue.path.join(".") });
  }
  run(
    database,
    `INSERT INTO leakage_policy (adapter_id, policy) VALUES (?1, ?2)
     ON CONFLICT (adapter_id) DO UPDATE SET policy = ?2`,
    adapterId,
    text,
  );
}

/** Most tokens that a ratio allows. */
export function tokensAllowed(layout: Pick<AdapterLayout, "modules">, ratio: number): number {
  return Math.floor(ratio * extractionTokens(layout));
}

/** Tokens that all buyers may still buy; null when none are refused. */
export function tokensLeft(
  database: DatabaseSync,
  adapterId: Hex,
  layout: Pick<AdapterLayout, "modules">,
): number | null {
  const { past, maxRatio } = readPolicy(database, adapterId);
  if (past !== "refuse") return null;
  return Math.max(0, tokensAllowed(layout, maxRatio) - tokensSold(database, adapterId));
}

/**
 * Refuses terms that the owner's own policy forbids, before they are signed.
 * @throws DeltapayError `offer/below-worth`, `offer/other-token-than-worth`, `offer/past-leakage-limit`
 */
export function checkOfferPolicy(
  database: DatabaseSync,
  layout: Pick<AdapterLayout, "modules">,
  { adapterId, token, pricePerToken, tokenCap }: Offer,
): void {
  const { maxBuyerRatio, worth } = readPolicy(database, adapterId);
  if (worth !== null) {
    ensure(
      worth.token === token.toLowerCase(),
      "offer/other-token-than-worth",
      "the adapter's worth was stated in another token than the offer's",
      { field: "token", hint: "state it in this one: deltapay leakage limit --worth AMOUNT --token ADDRESS" },
    );
    const least = leastPrice(layout, worth.amount);
    ensure(
      pricePerToken >= least,
      "offer/below-worth",
      `at ${pricePerToken} a token the adapter is sold for less than it is worth to you`,
      {
        field: "pricePerToken",
        hint: `ask at least ${least}: about ${extractionTokens(layout)} tokens give it away (docs/leakage.md)`,
      },
    );
  }
  const left = tokensLeft(database, adapterId, layout);
  if (left === null) return;
  const most = Math.min(left, tokensAllowed(layout, maxBuyerRatio));
  ensure(
    tokenCap <= BigInt(most),
    "offer/past-leakage-limit",
    `the offer promises ${tokenCap} tokens, the adapter's leakage policy leaves ${most}`,
    { field: "tokenCap", hint: "lower the cap, or raise the limit: deltapay leakage limit" },
  );
}
