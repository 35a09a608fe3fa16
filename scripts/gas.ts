/**
 * Gas of every function and of settlements with 1 to 80 proofs, measured in transactions with real proofs.
 *
 *   node scripts/gas.ts [--json] [--check | --write]
 *
 * --write keeps the figures in test/contracts/gas.json and docs/gas.md; --check fails when either differs by one unit.
 */
import { parseArgs } from "node:util";
import { currentReport } from "./gas/report.ts";
import { differingFiles, writeFiles } from "./gas/snapshot.ts";
import { gasTables } from "./gas/tables.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const report = await currentReport();
if (values.write) await writeFiles(report);
process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : gasTables(report));
if (values.check)
  for (const file of await differingFiles(report)) {
    console.error(`${file} differs from what was measured: run npm run gas -- --write and commit it`);
    process.exitCode = 1;
  }
