/** The page of a report: whatever others called their modules, it stays text; nothing comes from elsewhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditReport } from "../../runner/audit/audit.ts";
import { reportHtml } from "../../runner/audit/report/html.ts";
import { run } from "../cli/command.ts";

const address = (digit: string): string => `0x${digit.repeat(40)}`;
const HOSTILE = `</title></svg><script>alert(1)</script><img src="http://evil.example/x" onerror='alert(2)'>\u202e`;

function report(change: Partial<AuditReport> = {}): AuditReport {
  return {
    verdict: "failed",
    agreementId: `0x${"ab".repeat(32)}`,
    chainId: 31337n,
    block: 20n,
    checks: [
      { name: "code", result: "passed", detail: "as released" },
      { name: "manifest", result: "failed", detail: HOSTILE },
      { name: "token", result: "not checkable", detail: "foreign" },
    ],
    summary: {
      ...{ buyer: address("1"), contributor: address("2"), payout: address("3"), token: address("0") },
      ...{ openingFee: 10n ** 14n, amount: 10n ** 15n, pricePerToken: 10n ** 12n },
      ...{ paid: 6n * 10n ** 14n, returned: 10n ** 14n, status: "open", passes: 2n, tokens: 600n },
      settlements: [
        { transaction: `0x${"cd".repeat(32)}`, timestamp: 1_700_000_000n, groups: 1, credited: 1n },
      ],
    },
    modules: [{ name: HOSTILE, dIn: 8, dOut: 16, r: 2, group: 0, slot: 0 }],
    ...change,
  };
}

test("hostile names stay text", () => {
  const html = reportHtml(report());
  assert.doesNotMatch(html, /<script|<img|\u202e/);
  assert.match(html, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
});

test("nothing is asked for from elsewhere and no script may run", () => {
  const html = reportHtml(report());
  assert.match(html, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/);
  const ours = html.replaceAll(/&lt;.*?&gt;/g, "");
  assert.doesNotMatch(ours, /\s(?:src|href)=|url\(|@import/);
});

test("verdict, checks, money and modules are on it, the failed ones first", () => {
  const html = reportHtml(report());
  assert.match(html, /<h1>Audit: Failed<\/h1>/);
  assert.ok(html.indexOf('scope="row">manifest') < html.indexOf('scope="row">token'));
  assert.ok(html.indexOf('scope="row">token') < html.indexOf('scope="row">code'));
  for (const amount of ["0.0011 ETH", "0.0001 ETH", "0.0006 ETH", "0.0003 ETH"])
    assert.ok(html.includes(amount));
  assert.match(html, /8→16, r 2 · proof 0/);
  assert.match(html, /2023-11-14 22:13:20 UTC/);
});

test("without a manifest and without money it says so", () => {
  const { summary } = report();
  const nothing = { ...summary, openingFee: 0n, amount: 0n, paid: 0n, returned: 0n, settlements: [] };
  const html = reportHtml(report({ modules: null, summary: nothing, verdict: "incomplete" }));
  assert.match(html, /the modules are not known/);
  assert.match(html, /No money was paid in/);
  assert.match(html, /No receipt was settled/);
});

test("modules count as proven when a receipt was settled, and its proofs hold", () => {
  const modules = [{ name: "layer", dIn: 8, dOut: 16, r: 2, group: 0, slot: 0 }];
  const checks = [{ name: "proofs-pairing", result: "passed", detail: "" } as const];
  const { summary } = report();
  assert.match(reportHtml(report({ modules, checks })), /rank 2, group 0, proven/);
  const nothing = report({ modules, checks, summary: { ...summary, settlements: [] } });
  assert.match(reportHtml(nothing), /rank 2, group 0, not shown to be proven/);
  const failed = report({ modules, checks: [{ ...checks[0]!, result: "failed" }] });
  assert.match(reportHtml(failed), /rank 2, group 0, not shown to be proven/);
});

test("a report that cannot be written is said before the audit, not after it", async () => {
  const agreement = `0x${"ab".repeat(32)}`;
  const { code, stdout } = await run(["audit", agreement, "--report", "/nowhere/x.html", "--json"]);
  assert.equal(code, 1);
  assert.equal(JSON.parse(stdout).error.code, "audit/cannot-write");
});

test("a page of all agreements is refused, not left out", async () => {
  const { code, stdout } = await run(["audit", "--all", "--report", "page.html", "--json"]);
  assert.equal(code, 2);
  assert.match(JSON.parse(stdout).error.message, /'--all' cannot be used with option '--report <file>'/);
});
