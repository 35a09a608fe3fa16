/** All agreements of an escrow by the command, killed on the way and taken up again. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { type AuditAllReport, auditAll } from "../../runner/audit/auditAll.ts";
import { connectNode } from "../../runner/audit/chain/node.ts";
import { findDeployment, readRelease } from "../../runner/audit/release.ts";
import { startLyingNode } from "../../runner/demo/tampered/lyingNode.ts";
import { Market, type Sale } from "../../runner/demo/tampered/sale.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { killedAt, run } from "../cli/command.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

const SALES = 3;
const market = await Market.open();
const sales: Sale[] = [];
for (let i = 0; i < SALES; i++) sales.push(await market.sell({ modulesPerProof: "all", passes: [1 + i] }));
const deployment = sales[0]!.files.deployment;
const where = ["--rpc", market.node.rpcUrl, "--deployment", deployment];
const args = (state: string): string[] => ["audit", "--all", ...where, "--state", state];

after(async () => {
  await market.close();
  await (await loadCurve()).terminate();
});

test("a run that is killed is taken up where it was; half a line is left out", async (context) => {
  const state = path.join(temporaryDirectory(context), "state.jsonl");
  await killedAt(args(state), ": incomplete");
  const done = fs.readFileSync(state, "utf8").trim().split("\n").length - 1;
  assert.ok(done >= 1 && done < SALES, `${done} were done when it was killed`);
  fs.appendFileSync(state, '{"agreementId":"0x');
  const { code, stdout } = await run([...args(state), "--json"]);
  assert.equal(code, 0);
  const report = JSON.parse(stdout) as AuditAllReport;
  assert.equal(report.resumed, done);
  assert.deepEqual(
    report.agreements.map(({ agreementId }) => agreementId),
    sales.map(({ agreementId }) => agreementId),
  );
  // nobody serves the manifests here
  assert.deepEqual(report.counts, { passed: 0, failed: 0, incomplete: SALES });
  for (const { notCheckable } of report.agreements)
    assert.deepEqual(notCheckable, ["manifest", "commitments", "knowledge", "statements"]);
});

test("what happened since, and what no node answered, is audited again; another escrow's file is refused", async (context) => {
  const state = path.join(temporaryDirectory(context), "state.jsonl");
  const audited: string[] = [];
  const auditNow = async (file = state, rpcUrl = market.node.rpcUrl) => {
    const node = await connectNode(rpcUrl);
    try {
      return await auditAll({
        ...{ node, deployment: findDeployment(readRelease(), node.chainId, deployment), state: file },
        onProgress: () => {},
        onAgreement: ({ agreementId }) => audited.push(agreementId),
      });
    } finally {
      node.close();
    }
  };
  await auditNow();
  assert.equal(audited.splice(0).length, SALES);
  const sale = await market.sell({ modulesPerProof: "all" });
  const { resumed } = await auditNow();
  assert.equal(resumed, SALES);
  assert.deepEqual(audited, [sale.agreementId]);
  const down = await startLyingNode(market.node.rpcUrl, (_, __, result) => result);
  down.refuse("eth_getTransactionReceipt");
  const later = path.join(path.dirname(state), "later.jsonl");
  assert.deepEqual((await auditNow(later, down.rpcUrl)).agreements[0]!.failed, []);
  await down.close();
  assert.equal((await auditNow(later)).resumed, 0);
  assert.equal((await auditNow(later)).resumed, SALES + 1);
  await assert.rejects(auditNow(path.join(path.dirname(state), "nowhere", "state.jsonl")), {
    code: "audit/bad-state",
  });
  const other = path.join(path.dirname(state), "other.jsonl");
  fs.writeFileSync(other, `${JSON.stringify({ deltapayAudit: 1, chainId: "1", escrow: "0x" })}\n`);
  await assert.rejects(auditNow(other), { code: "audit/bad-state" });
  const keystore = path.join(path.dirname(state), "keystore.json");
  fs.writeFileSync(keystore, '{"version":3}');
  await assert.rejects(auditNow(keystore), { code: "audit/bad-state" });
  assert.equal(fs.readFileSync(keystore, "utf8"), '{"version":3}', "a file named by mistake is untouched");
  fs.appendFileSync(state, "nonsense\n");
  await assert.rejects(auditNow(), { code: "audit/bad-state" });
});

test("where no agreement is, nothing is passed", async () => {
  const { code, stdout, stderr } = await run([
    "audit",
    "--all",
    "--from-block",
    "100000",
    ...where,
    "--json",
  ]);
  assert.equal(code, 0);
  const { verdict, agreements } = JSON.parse(stdout) as AuditAllReport;
  assert.deepEqual([verdict, agreements], ["incomplete", []]);
  assert.match(stderr, /told of no agreement: see that --rpc/);
});
