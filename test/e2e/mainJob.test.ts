/** The main job as a user runs it: every step a process, on a real chain, with real input. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import type { AuditReport } from "../../runner/audit/audit.ts";
import { runCommand } from "../../runner/demo/commands.ts";
import type { Kept } from "../../runner/demo/kept.ts";
import type { JobReport } from "../../runner/demo/report.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

const AMOUNT = 5_000_000_000_000_000n;
const OWED = 4_140_000_000_000_000n;

/** What must hold of every run, however the proofs are grouped. */
function checkReport(report: JobReport): void {
  assert.equal(report.status, "settled");
  assert.match(report.agreementId, /^0x[0-9a-f]{64}$/);
  assert.equal(report.tokens, 4140);
  assert.equal(report.passes, 72);
  assert.ok(Math.abs(report.perplexity.base - 596.65) < 0.01);
  assert.ok(report.perplexity.relativeError < 0.002, `off by ${report.perplexity.relativeError}`);
  assert.equal(report.greedy.matchesReference, true);
  assert.ok(report.proofs.every(({ verified }) => verified));
  const { deposited, owed, contributorReceived, buyerRefunded } = report.money;
  assert.deepEqual([deposited, owed, contributorReceived, buyerRefunded].map(BigInt), [
    AMOUNT,
    OWED,
    OWED,
    AMOUNT - OWED,
  ]);
  assert.deepEqual({ ...report.leakage, ratio: 0 }, { tokensSold: 4140, dInHalf: 64, ratio: 0, rank: 128 });
}

const MODULES = [0, 1, 2, 3].map((layer) => `transformer.h.${layer}.attn.c_attn`);

describe("the main job", () => {
  test("a proof for every module", async () => {
    const report = await runCommand<JobReport>(["demo"]);
    checkReport(report);
    assert.deepEqual(
      report.proofs.map(({ group, modules }) => [group, modules]),
      MODULES.map((name, group) => [group, [name]]),
    );
    assert.ok(report.gas.settle < 520_000, `settle took ${report.gas.settle}`);
  });

  test("one proof for the whole adapter; what is kept of it passes the audit", async (context) => {
    // before the folder that names it is removed
    context.after(() => runCommand(["demo", "--stop"]));
    process.env["XDG_DATA_HOME"] = temporaryDirectory(context);
    const report = await runCommand<JobReport>(["demo", "--keep", "--modules-per-proof", "all"]);
    checkReport(report);
    const audited = await runCommand<AuditReport>(["audit", report.agreementId]);
    assert.deepEqual(
      audited.checks.filter(({ result }) => result !== "passed"),
      [],
    );
    assert.equal(audited.verdict, "passed");
    const { ended } = await runCommand<{ ended: Kept | null }>(["demo", "--stop"]);
    assert.ok(ended);
    assert.equal(existsSync(ended.folder), false);
    await assert.rejects(runCommand(["audit", report.agreementId, "--rpc", ended.rpcUrl]), {
      code: "audit/no-node",
    });
    assert.deepEqual(
      report.proofs.map(({ modules }) => modules),
      [MODULES],
    );
    assert.ok(report.gas.settle < 320_000, `settle took ${report.gas.settle}`);
  });
});
