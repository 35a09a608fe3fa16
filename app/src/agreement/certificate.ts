/** The certificate of an agreement: facts, checks and replayed proofs in one document, and one word for all of it. */
import { stringifyMessage } from "../../../runner/wire/messages.ts";
import type { Check } from "./checks.ts";
import type { AgreementFacts } from "./facts.ts";
import { type Money, moneyOf } from "./money.ts";
import type { NamedModule, ReceiptStatus } from "./receipts.ts";
import { type Happening, timelineOf } from "./timeline.ts";

/**
 * `proven`: a receipt is settled, and all there is was checked. `unsettled`: nothing is wrong and nothing is settled.
 * `incomplete`: nothing is wrong, but not all could be checked. `failed`: something is wrong.
 */
export type Verdict = "proven" | "unsettled" | "incomplete" | "failed";

export interface Certificate {
  verdict: Verdict;
  facts: AgreementFacts;
  checks: Check[];
  receipts: ReceiptStatus[];
  /** By the manifest; empty when it is not at hand. */
  modules: readonly NamedModule[];
  money: Money;
  timeline: Happening[];
}

function checkReceipts(receipts: readonly ReceiptStatus[]): Check {
  const check = (result: Check["result"], detail: string): Check => ({ name: "receipts", result, detail });
  const bad = receipts.find(({ failure }) => failure !== undefined);
  if (bad) return check("failed", `receipt ${bad.receiptHash}: ${bad.failure!.message}`);
  const groups = receipts.flatMap((receipt) => receipt.groups);
  const failed = groups.filter(({ status }) => status === "failed");
  if (failed.length > 0)
    return check(
      "failed",
      `${failed.length} of the proofs that were sent do not hold: ${failed
        .map(({ group, modules }) => modules.join(", ") || `group ${group}`)
        .join("; ")}`,
    );
  const unreadable = groups.filter(({ status }) => status === "unreadable").length;
  if (unreadable > 0)
    return check(
      "not checkable",
      `${unreadable} proofs are not in the calldata of the transactions that sent them`,
    );
  const proven = groups.filter(({ status }) => status === "proven").length;
  if (proven === 0) return check("passed", "no proof was sent yet");
  const waiting = groups.filter(({ status }) => status === "waiting").length;
  return check(
    "passed",
    `${proven} proofs replayed here, every one holds${waiting > 0 ? `; ${waiting} are still to come` : ""}`,
  );
}

function verdictOf(checks: readonly Check[], receipts: readonly ReceiptStatus[]): Verdict {
  if (checks.some(({ result }) => result === "failed")) return "failed";
  if (checks.some(({ result }) => result === "not checkable")) return "incomplete";
  return receipts.some(({ settled, proven }) => settled && proven) ? "proven" : "unsettled";
}

/** Puts the certificate together. */
export function certificateOf(
  facts: AgreementFacts,
  factChecks: readonly Check[],
  receipts: ReceiptStatus[],
  modules: readonly NamedModule[],
): Certificate {
  const checks = [...factChecks, checkReceipts(receipts)];
  return {
    verdict: verdictOf(checks, receipts),
    facts,
    checks,
    receipts,
    modules,
    money: moneyOf(facts),
    timeline: timelineOf(facts),
  };
}

/** The certificate as a file: large integers as decimal strings, with the calldata it was replayed from. */
export function certificateJson(certificate: Certificate): string {
  return `${stringifyMessage({ format: "deltapay/1/certificate", ...certificate }, 2)}\n`;
}
