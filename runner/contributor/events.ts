/** What the contributor's service tells whoever runs it; nothing in an event is secret. */
import type { Hex } from "../protocol/bytes.ts";
import type { DeltapayError } from "../protocol/errors.ts";
import type { Address } from "../protocol/typedData.ts";

export type ContributorEvent =
  | { type: "listening"; url: string }
  | { type: "session-opened"; agreementId: Hex; passes: number; tokens: number }
  | {
      type: "pass";
      agreementId: Hex;
      pass: number;
      tokens: number;
      totalTokens: number;
      unpaidTokens: number;
    }
  | { type: "receipt"; agreementId: Hex; passes: number; tokens: number; computeMs: number }
  | { type: "receipt-refused"; agreementId: Hex; code: string; reason: string }
  | { type: "ended"; agreementId: Hex; reason: string }
  | { type: "proving"; agreementId: Hex; done: number; total: number; proveMs: number }
  | { type: "settling"; agreementId: Hex; txHash: Hex }
  | { type: "settled"; agreementId: Hex; txHash: Hex; tokens: number; owed: bigint }
  | { type: "closed"; agreementId: Hex; reason: string }
  /** It counted as over, and the chain shows its receipt unpaid: it is settled again. */
  | { type: "reopened"; agreementId: Hex; was: "settled" | "closed" }
  | { type: "withdrawn"; token: Address; to: Address; amount: bigint; txHash: Hex }
  /** A pass began that sells more than the leakage policy has in mind: to its buyer, or to all buyers together. */
  | {
      type: "leakage";
      agreementId: Hex;
      adapterId: Hex;
      of: "buyer" | "all";
      tokensSold: number;
      ratio: number;
    }
  /** Agreements left to settle whose adapters this process does not serve. */
  | { type: "not-settled-here"; agreementIds: Hex[] }
  | { type: "failed"; agreementId: Hex | null; doing: string; error: DeltapayError };

export type OnEvent = (event: ContributorEvent) => void;

/** A listener whose own failure, a log on a full disk for one, is never that of what it is told of. */
export function heardSafely(onEvent: OnEvent = () => {}): OnEvent {
  return (event) => {
    try {
      onEvent(event);
    } catch {
      // There is nobody left to tell.
    }
  };
}
