/** The audit as a page for people: one file, no script, nothing from elsewhere, readable in light and dark. */
import type { AuditReport } from "../audit.ts";
import type { Check, CheckResult, Verdict } from "../verdict.ts";
import { escaped } from "./escape.ts";
import { amountText, modulePicture, moneyPicture } from "./pictures.ts";
import { STYLE } from "./style.ts";

const MARKS: Record<CheckResult, { mark: string; className: string }> = {
  passed: { mark: "✓", className: "passed" },
  failed: { mark: "✕", className: "failed" },
  "not checkable": { mark: "?", className: "open" },
};

const VERDICTS: Record<Verdict, { title: string; said: string; className: string }> = {
  passed: {
    title: "Passed",
    said: "Everything was checked and nothing is wrong.",
    className: "passed",
  },
  failed: {
    title: "Failed",
    said: "At least one check failed. Do not rely on this settlement before you know why.",
    className: "failed",
  },
  incomplete: {
    title: "Incomplete",
    said: "Nothing is wrong in what could be checked; something could not be, and says what it needs.",
    className: "open",
  },
};

function facts({ summary, agreementId, chainId, block }: AuditReport): string {
  const { buyer, contributor, payout, token, pricePerToken, passes, tokens, status } = summary;
  const rows: [string, unknown][] = [
    ["Agreement", agreementId],
    ["Chain", `${chainId}, as of block ${block}`],
    ["Buyer", buyer],
    ["Contributor", contributor ?? "unknown"],
    ...(payout === contributor ? [] : [["Paid to", payout] as [string, unknown]]),
    ["Price", `${amountText(pricePerToken, token)} a token`],
    ["Proven", `${tokens} tokens in ${passes} passes`],
    ["Status", status],
  ];
  return `<dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`).join("")}</dl>`;
}

function checkRow({ name, result, detail }: Check): string {
  const { mark, className } = MARKS[result];
  return `<tr class="${className}"><td><span class="mark" aria-hidden="true">${mark}</span>${result}</td><th scope="row">${escaped(name)}</th><td class="detail">${escaped(detail)}</td></tr>`;
}

/** A node can tell any time, or none. */
function timeText(timestamp: bigint | null): string {
  const time = new Date(Number(timestamp ?? Number.NaN) * 1000);
  if (Number.isNaN(time.getTime())) return "unknown";
  return time.toISOString().replace(".000Z", " UTC").replace("T", " ");
}

function settlements({ summary }: AuditReport): string {
  if (summary.settlements.length === 0) return "<p>No receipt was settled.</p>";
  const rows = summary.settlements.map(
    ({ transaction, timestamp, groups, credited }) =>
      `<tr><td>${timeText(timestamp)}</td><td>${groups}</td><td>${escaped(amountText(credited, summary.token))}</td><td class="detail">${escaped(transaction)}</td></tr>`,
  );
  return `<div class="wide"><table><thead><tr><th scope="col">time</th><th scope="col">proofs</th><th scope="col">credited</th><th scope="col">transaction</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function modules({ modules: found, checks, summary }: AuditReport): string {
  if (found === null) return "<p>The manifest could not be read, so the modules are not known.</p>";
  const proofChecks = ["groups", "proofs-pairing", "proofs-snarkjs"];
  // without a receipt the checks of its proofs pass, and nothing was proven
  const proven =
    summary.settlements.length > 0 &&
    checks.every(({ name, result }) => !proofChecks.includes(name) || result === "passed");
  return modulePicture(found, proven);
}

/** The page of a report. Every text of it that is not ours is escaped. */
export function reportHtml(report: AuditReport): string {
  const { verdict, checks } = report;
  const { title, said, className } = VERDICTS[verdict];
  const worst: CheckResult[] = ["failed", "not checkable", "passed"];
  const ordered = worst.flatMap((result) => checks.filter((check) => check.result === result));
  const count = (result: CheckResult): number => checks.filter((check) => check.result === result).length;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Audit: ${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header class="${className}"><h1>Audit: ${title}</h1><p>${said}</p>
<p class="counts">${count("passed")} passed, ${count("failed")} failed, ${count("not checkable")} not checkable</p></header>
<section>${facts(report)}</section>
<section><h2>Where the money went</h2><div class="picture">${moneyPicture(report.summary)}</div></section>
<section><h2>Modules, and the proof that covers each</h2><div class="picture">${modules(report)}</div></section>
<section><h2>Receipts paid</h2>${settlements(report)}</section>
<section class="checks"><h2>Checks</h2><div class="wide"><table><tbody>${ordered.map(checkRow).join("")}</tbody></table></div></section>
<footer><p>A passed audit shows that every token paid for was answered with the weights registered before the session. It does not show that the adapter is any good, nor that the base model's own run was right.</p></footer>
</main>
</body>
</html>
`;
}
