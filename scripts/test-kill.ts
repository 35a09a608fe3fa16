/**
 * Kills contributor and buyer at every step that money depends on, and at random, and checks the money after each:
 *
 *   node scripts/test-kill.ts [--kills 200] [--seed N] [--lanes 2] [--only PATTERN] [--figures FILE] [--verbose] [--json]
 *
 * --only kills where `process: step` matches, for instance 'serve: before answering'. --figures keeps the figures after
 * every kill: a run that was interrupted goes on counting where it stopped. The seed repeats the choices, though not what
 * the machine makes of them.
 */
import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { Progress } from "../runner/cli/progress.ts";
import { type KillFigures, type KillOptions, killAndResume } from "../test/kill/harness.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string" },
    lanes: { type: "string", default: "2" },
    only: { type: "string" },
    figures: { type: "string" },
    verbose: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

/** Figures of an earlier, interrupted run. */
function readEarlier(): KillFigures | undefined {
  if (values.figures === undefined || !fs.existsSync(values.figures)) return undefined;
  return JSON.parse(fs.readFileSync(values.figures, "utf8")) as KillFigures;
}

const earlier = readEarlier();

/** Both runs as one. */
function together(now: KillFigures): KillFigures {
  if (earlier === undefined) return now;
  const steps = { ...earlier.steps };
  for (const [step, kills] of Object.entries(now.steps)) steps[step] = (steps[step] ?? 0) + kills;
  return {
    kills: earlier.kills + now.kills,
    resumed: earlier.resumed + now.resumed,
    moneyErrors: earlier.moneyErrors + now.moneyErrors,
    doublePaid: earlier.doublePaid + now.doublePaid,
    unpaidTokensMax: Math.max(earlier.unpaidTokensMax, now.unpaidTokensMax),
    maxUnpaidTokens: now.maxUnpaidTokens,
    agreements: earlier.agreements + now.agreements,
    seed: now.seed,
    seconds: earlier.seconds + now.seconds,
    steps,
    errors: [...earlier.errors, ...now.errors],
  };
}

function keep(figures: KillFigures): void {
  if (values.figures === undefined) return;
  fs.writeFileSync(`${values.figures}.new`, JSON.stringify(figures, null, 2));
  fs.renameSync(`${values.figures}.new`, values.figures);
}

function print({ steps, errors, ...counts }: KillFigures): void {
  for (const [name, count] of Object.entries(counts)) console.log(`${name}: ${count}`);
  console.log("kills by step:");
  for (const [step, kills] of Object.entries(steps)) console.log(`  ${kills} ${step}`);
  for (const error of errors) console.log(`ERROR ${error}`);
}

/** Ends with another exit code than a run that came to its end. */
async function killUntilDone(options: KillOptions): Promise<KillFigures> {
  try {
    return await killAndResume(options);
  } catch (error) {
    console.error(interruption.signal.aborted ? "interrupted" : error);
    process.exit(interruption.signal.aborted ? 130 : 1);
  }
}

const wanted = Number(values.kills);
const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interruption.abort(signal));
const progress = new Progress(process.stderr);
const figures = together(
  await killUntilDone({
    kills: Math.max(0, wanted - (earlier?.kills ?? 0)),
    // Going on with the same seed would only repeat the same choices.
    seed: Number(values.seed ?? Date.now() % 2 ** 31) + (earlier?.kills ?? 0),
    lanes: Number(values.lanes),
    signal: interruption.signal,
    ...(values.only === undefined ? {} : { only: new RegExp(values.only) }),
    onKill: (where, now) => {
      const sofar = together(now);
      keep(sofar);
      if (values.verbose) process.stderr.write(`${sofar.kills}/${wanted} ${where}\n`);
      else progress.update("kills", Math.min(sofar.kills, wanted), wanted);
    },
  }),
);
progress.pause();
keep(figures);
const never = Object.keys(figures.steps).filter((step) => figures.steps[step] === 0);
if (never.length > 0) process.stderr.write(`nothing was killed at: ${never.join("; ")}\n`);
if (values.json) console.log(JSON.stringify(figures, null, 2));
else print(figures);
// A run that stopped short, or after which something did not go on, has shown nothing.
if (figures.moneyErrors > 0 || figures.kills < wanted || figures.resumed < figures.kills)
  process.exitCode = 1;
