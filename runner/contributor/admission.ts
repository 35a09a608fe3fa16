/** Whether one more pass is served: what the contributor risks without a receipt is bounded here (protocol 5.1). */
import { DeltapayError } from "../protocol/errors.ts";
import type { Offer } from "../protocol/typedData.ts";
import type { AgreementView } from "./chainView.ts";

export interface Admission {
  offer: Pick<Offer, "maxUnpaidTokens" | "tokenCap" | "closeWindow">;
  agreement: Pick<AgreementView, "status" | "amount" | "paid" | "pricePerToken" | "deadline">;
  /** Deadline when the agreement was opened; an earlier one now means that the buyer closes. */
  openedDeadline: bigint;
  /** Tokens of finished passes, and those of them that the last receipt covers. */
  tokens: bigint;
  covered: bigint;
  /** Tokens of the pass that is to begin. */
  passTokens: bigint;
  /** Unix seconds. */
  now: bigint;
  /** Seconds needed to prove and be included. */
  margin: bigint;
  /** Seconds needed for it, and to notice, when the buyer closes now. */
  closeMargin: bigint;
}

/** First second at which no pass begins any more: what remains until the deadline is for proving and inclusion. */
export function servingEnds(deadline: bigint, margin: bigint): bigint {
  return deadline - margin;
}

/**
 * Checks the limits before the first answer of a pass.
 * @throws DeltapayError `session/closing`, `session/older-folder`, `session/deadline`, `session/close-window`, `session/unpaid-limit`,
 * `session/token-cap`, `session/deposit-used-up`
 */
export function admitPass(request: Admission): void {
  const { offer, agreement, tokens, passTokens } = request;
  if (agreement.status !== "open" || agreement.deadline !== request.openedDeadline)
    throw new DeltapayError("session/closing", `the agreement is ${agreement.status}, no pass begins`, {
      hint: "open a new agreement",
    });
  if (agreement.paid > worth(request))
    throw new DeltapayError(
      "session/older-folder",
      "the chain has paid more than any receipt here is worth: this data folder is older than the chain",
      { hint: "the contributor restores the newest data folder; the buyer opens a new agreement" },
    );
  if (request.now >= servingEnds(agreement.deadline, request.margin))
    throw new DeltapayError("session/deadline", "the deadline is too close to prove what would be served", {
      hint: "open a new agreement with a later deadline",
    });
  if (offer.closeWindow < request.closeMargin)
    throw new DeltapayError("session/close-window", "a close now would leave too little time to settle", {
      hint: "ask again when less is being settled here, or open an agreement on an offer with a longer closeWindow",
    });
  const unpaid = tokens - request.covered + passTokens;
  if (unpaid > offer.maxUnpaidTokens)
    throw new DeltapayError(
      "session/unpaid-limit",
      `${unpaid} tokens would be served without a receipt, the offer allows ${offer.maxUnpaidTokens}`,
      { field: "tokens", hint: "send a receipt first, or ask for fewer tokens in a pass" },
    );
  if (tokens + passTokens > offer.tokenCap)
    throw new DeltapayError("session/token-cap", `the offer serves ${offer.tokenCap} tokens in all`, {
      field: "tokens",
      hint: `${offer.tokenCap - tokens} are left`,
    });
  if ((tokens + passTokens) * agreement.pricePerToken > agreement.amount)
    throw new DeltapayError("session/deposit-used-up", "the deposit does not pay for this pass", {
      field: "tokens",
      hint: `${agreement.amount / agreement.pricePerToken - tokens} tokens are left; open another agreement for more`,
    });
}

/** What the newest receipt is worth, never above the deposit. */
function worth({ agreement, covered }: Pick<Admission, "agreement" | "covered">): bigint {
  const due = covered * agreement.pricePerToken;
  return due < agreement.amount ? due : agreement.amount;
}

/** Whether not even one more token can be served, and all served ones are covered by a receipt. */
export function isUsedUp(request: Pick<Admission, "offer" | "agreement" | "tokens" | "covered">): boolean {
  const { offer, agreement, tokens, covered } = request;
  if (covered !== tokens) return false;
  return tokens >= offer.tokenCap || (tokens + 1n) * agreement.pricePerToken > agreement.amount;
}
