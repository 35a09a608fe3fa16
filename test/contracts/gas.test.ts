import assert from "node:assert/strict";
import { before, test } from "node:test";
import { currentReport, type GasReport } from "../../scripts/gas/report.ts";
import { differingFiles } from "../../scripts/gas/snapshot.ts";

let report: GasReport;
before(async () => {
  report = await currentReport();
});

/** Most gas of an agreement's first settlement, the payout's first income, calldata and all. */
const SETTLE_LIMITS = [
  { proofs: 1, limit: 320_000 },
  { proofs: 4, limit: 130_000 },
  { proofs: 24, limit: 72_000 },
  { proofs: 48, limit: 68_000 },
  { proofs: 80, limit: 66_000 },
];

for (const { proofs, limit } of SETTLE_LIMITS)
  test(`a settlement of ${proofs} proofs costs at most ${limit} gas a proof`, () => {
    const { total, perProof } = report.settle[proofs]!;
    assert.ok(perProof <= limit, `${perProof} gas`);
    assert.ok(total <= proofs * limit, `${total} gas`);
  });

test("a settlement stays within a tenth of what the EIPs' prices make unavoidable", () => {
  for (const { total, floor } of Object.values(report.settle)) {
    assert.ok(total > floor, "a floor above the cost is no floor");
    assert.ok(total <= 1.1 * floor, `${total} gas, floor ${floor}`);
  }
});

test("registering costs at most 150,000 gas, opening at most 300,000", () => {
  assert.ok(report.register <= 150_000, `${report.register} gas`);
  assert.ok(report.open <= 300_000, `${report.open} gas`);
});

test("one proof costs the same under every key, but for the zero bytes in its calldata", () => {
  const gas = Object.values(report.oneProofByKeySize);
  assert.ok(gas.length >= 4);
  assert.ok(Math.max(...gas) - Math.min(...gas) <= 12 * 10, `${gas}`);
});

test("the figures kept in git are those measured, to the unit", async () => {
  assert.deepEqual(await differingFiles(report), [], "run npm run gas -- --write and commit both files");
});
