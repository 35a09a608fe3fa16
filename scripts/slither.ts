/**
 * Slither over the contracts that are deployed, each of its findings answered in contracts/FINDINGS.md.
 *
 *   node scripts/slither.ts [--require] [--json]
 *
 * Fails on a finding without an answer, and on an answer to what is found no more. Without Slither (pip install
 * slither-analyzer; or its path in SLITHER) it says so and succeeds; --require makes that a failure.
 */
import { parseArgs } from "node:util";
import { answered, compareFindings, findingsOf } from "./slither/findings.ts";
import { runSlither, slitherVersion } from "./slither/run.ts";

const { values } = parseArgs({
  options: { require: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});
const program = process.env["SLITHER"] ?? "slither";
const version = slitherVersion(program);
if (version === undefined) {
  console.error(
    "slither: skipped, it is not installed (pip install slither-analyzer, or set SLITHER to its path)",
  );
  if (values.json) process.stdout.write(`${JSON.stringify({ skipped: true })}\n`);
  process.exitCode = values.require ? 1 : 0;
} else {
  console.error(`slither ${version}: compiling and analysing, half a minute`);
  const found = findingsOf(runSlither(program));
  const { unanswered, stale } = compareFindings(found, answered("slither"));
  for (const finding of unanswered) console.error(`not answered in contracts/FINDINGS.md: ${finding}`);
  for (const answer of stale) console.error(`answered in contracts/FINDINGS.md, but not found: ${answer}`);
  console.error(
    `${found.length} findings, ${unanswered.length} without an answer, ${stale.length} stale answers`,
  );
  if (values.json)
    process.stdout.write(
      `${JSON.stringify({ skipped: false, version, found, unanswered, stale }, null, 2)}\n`,
    );
  process.exitCode = unanswered.length + stale.length === 0 ? 0 : 1;
}
