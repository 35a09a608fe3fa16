/**
 * Kills contributor and buyer at every step that money depends on, and at random, and checks the money after each:
 *
 *   node scripts/test-kill.ts [--kills 200] [--seed N] [--lanes 2] [--only PATTERN] [--json]
 *
 * --only kills where `process: step` matches, for instance 'serve: before answering'. The same seed takes the same choices.
 */
import { parseArgs } from "node:util";
import { Progress } from "../runner/cli/progress.ts";
import { killAndResume } from "../test/kill/harness.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    lanes: { type: "string", default: "2" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

const progress = new Progress(process.stderr);
const figures = await killAndResume({
  kills: Number(values.kills),
  seed: Number(values.seed),
  lanes: Number(values.lanes),
  ...(values.only === undefined ? {} : { only: new RegExp(values.only) }),
  onKill: (done, total, where) => {
    if (values.verbose) process.stderr.write(`${done}/${total} ${where}\n`);
    else progress.update("kills", Math.min(done, total), total);
  },
});
progress.pause();
if (values.json) console.log(JSON.stringify(figures, null, 2));
else {
  const { steps, errors, ...counts } = figures;
  console.log(
    Object.entries(counts)
      .map(([name, value]) => `${name}: ${value}`)
      .join("\n"),
  );
  for (const [step, kills] of Object.entries(steps)) console.log(`  ${step}: ${kills}`);
  for (const error of errors) console.log(`ERROR ${error}`);
}
if (figures.moneyErrors > 0 || figures.resumed < figures.kills) process.exitCode = 1;
