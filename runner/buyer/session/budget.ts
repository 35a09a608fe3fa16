/** What may still be asked under an agreement; the same limits the contributor enforces (protocol 5.1), checked first here. */
import { DeltapayError } from "../../protocol/errors.ts";
import type { AdapterLayout } from "../../protocol/layout.ts";
import type { Offer } from "../../protocol/typedData.ts";
import { passRequestHeader } from "../../wire/passRequest.ts";
import { LIMITS } from "../../wire/paths.ts";

export interface Budget {
  offer: Pick<Offer, "pricePerToken" | "maxUnpaidTokens" | "tokenCap">;
  /** Paid in for inference. */
  amount: bigint;
}

/** Tokens that `amount` and `tokenCap` leave after `tokens`. */
export function tokensLeft({ offer, amount }: Budget, tokens: number): number {
  const paid = offer.pricePerToken === 0n ? offer.tokenCap : amount / offer.pricePerToken;
  const all = paid < offer.tokenCap ? paid : offer.tokenCap;
  const left = all - BigInt(tokens);
  return left <= 0n
    ? 0
    : Number(left > BigInt(Number.MAX_SAFE_INTEGER) ? BigInt(Number.MAX_SAFE_INTEGER) : left);
}

/** Most tokens one pass may have under the offer: those whose widest activations travel at once, or it could not end. */
export function longestPass(
  { offer }: Pick<Budget, "offer">,
  { modules }: Pick<AdapterLayout, "modules">,
): number {
  const widest = Math.max(...modules.map(({ dIn }) => dIn));
  const bytes = LIMITS.activationsBytes - passRequestHeader(modules.length);
  const travelling = Math.floor(bytes / (Int16Array.BYTES_PER_ELEMENT * widest));
  const limit = BigInt(Math.min(LIMITS.passTokens, travelling));
  return Number(offer.maxUnpaidTokens < limit ? offer.maxUnpaidTokens : limit);
}

/**
 * Checks that a pass of `passTokens` more tokens can be served and paid.
 * @param tokens tokens of all passes so far
 * @throws DeltapayError `budget/bad-pass`, `budget/pass-too-long`, `budget/token-cap`, `budget/amount`, each with the tokens left
 */
export function checkBudget(
  budget: Budget,
  layout: Pick<AdapterLayout, "modules">,
  tokens: number,
  passTokens: number,
): void {
  const { offer, amount } = budget;
  if (!Number.isInteger(passTokens) || passTokens < 1)
    throw new DeltapayError("budget/bad-pass", "a pass has at least one token", { field: "tokens" });
  const longest = longestPass(budget, layout);
  if (passTokens > longest)
    throw new DeltapayError(
      "budget/pass-too-long",
      `a pass of ${passTokens} tokens; at most ${longest} are served at once`,
      {
        field: "offer.maxUnpaidTokens",
        hint: `use a context of at most ${longest} tokens`,
      },
    );
  const left = tokensLeft(budget, tokens);
  if (passTokens <= left) return;
  const capped = BigInt(tokens + passTokens) > offer.tokenCap;
  throw new DeltapayError(
    capped ? "budget/token-cap" : "budget/amount",
    `${passTokens} more tokens asked, ${left} are left: ${
      capped
        ? `the offer ends at ${offer.tokenCap}`
        : `${amount} was paid in at ${offer.pricePerToken} a token`
    }, ${tokens} are used`,
    { field: capped ? "offer.tokenCap" : "amount", hint: "open another agreement, or ask for fewer tokens" },
  );
}
