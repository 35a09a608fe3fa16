/**
 * Throws inputs at every parser: real files with bits, lengths and structure changed, and values of any kind.
 *
 *   node scripts/fuzz.ts [--seconds 60] [--seed N] [--jobs 2] [--only NAME]... [--json]
 *
 * A crash is any error that is not a refusal with a code, more than 5 s for one input, or more memory than the parser
 * may take. What broke is made small and kept in test/fuzz/corpus/, which every test run repeats.
 */
import { parseArgs } from "node:util";
import { Progress } from "../runner/cli/progress.ts";
import type { TargetReport } from "../test/fuzz/fuzzTarget.ts";
import { fuzz } from "../test/fuzz/run.ts";
import { TARGET_NAMES } from "../test/fuzz/targets.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    jobs: { type: "string", default: "2" },
    only: { type: "string", multiple: true },
    json: { type: "boolean", default: false },
  },
});

const unknown = values.only?.find((name) => !TARGET_NAMES.includes(name));
const numbers = [values.seconds, values.seed, values.jobs].map(Number);
const [seconds, seed, jobs] = numbers as [number, number, number];
if (unknown !== undefined || !numbers.every((value) => value >= 0) || jobs < 1) {
  console.error(
    unknown === undefined ? "--seconds, --seed and --jobs take numbers" : `there is no target ${unknown}`,
  );
  console.error(`targets: ${TARGET_NAMES.join(", ")}`);
  process.exit(2);
}

const progress = new Progress(process.stderr);
const reports = await fuzz({
  ...{ seconds, seed, jobs },
  ...(values.only && { names: values.only }),
  onTarget: (_, done, total) => progress.update("targets", done, total),
});
progress.pause();

if (values.json) {
  const targets = reports.map(({ name, inputs, outcomes, restarts, crashes }) => ({
    ...{ name, inputs, outcomes, restarts, crashes: crashes.length },
    ...(crashes.length > 0 && { found: crashes }),
  }));
  console.log(JSON.stringify({ seed, seconds, targets }, null, 2));
} else reports.forEach(print);
if (reports.some(({ crashes }) => crashes.length > 0)) process.exitCode = 1;

function print({ name, inputs, outcomes, crashes }: TargetReport): void {
  console.log(`${name}: ${inputs} inputs, ${outcomes} kinds of outcome, ${crashes.length} crashes`);
  for (const { message, input } of crashes) console.log(`  ${message}\n    ${input}`);
}
