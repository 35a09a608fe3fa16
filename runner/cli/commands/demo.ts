/** `deltapay demo`: the main job, or one attack on it. */
import type { Command } from "commander";
import { ATTACKS } from "../../demo/attacks/list.ts";
import { cheat } from "../../demo/cheat.ts";
import { type Kept, stopKept } from "../../demo/kept.ts";
import { runMainJob } from "../../demo/mainJob.ts";
import { jobReport } from "../../demo/report.ts";
import type { ModulesPerProof } from "../../protocol/groups.ts";
import { demoApp } from "../demoApp.ts";
import { ExitCode } from "../failure.ts";
import { reportLines } from "../jobReport.ts";
import { duration, Output, type OutputFlags, withOutput } from "../output.ts";
import { modulesPerProof } from "../parsers.ts";

interface Flags extends OutputFlags {
  app?: boolean;
  cheat?: string;
  keep?: boolean;
  stop?: boolean;
  modulesPerProof: ModulesPerProof;
}

/** The time since now, in front of each step. */
function stopwatch(): () => string {
  const started = performance.now();
  return () => `[${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s]`;
}

async function mainJob(out: Output, flags: Flags): Promise<void> {
  const started = performance.now();
  const elapsed = stopwatch();
  const job = await runMainJob({
    modulesPerProof: flags.modulesPerProof,
    keep: flags.keep === true,
    onStep: (title) => out.note(`${elapsed()} ${title}`),
    onLine: (line) => out.note(`          ${line}`),
  });
  const { kept } = job;
  const report = { ...jobReport(job), ...(kept === undefined ? {} : { kept }) };
  out.result(report, () => [
    ...reportLines(report, job, performance.now() - started),
    ...(kept === undefined ? [] : keptLines(kept)),
  ]);
  const failed = !report.greedy.matchesReference || report.proofs.some(({ verified }) => !verified);
  if (failed) process.exitCode = ExitCode.failed;
}

function keptLines({ agreementId, rpcUrl, folder }: Kept): string[] {
  return [
    `kept        the chain at ${rpcUrl}, data and transcript in ${folder}`,
    `            audit it: deltapay audit ${agreementId}`,
    "            end it:   deltapay demo --stop",
  ];
}

async function stop(out: Output): Promise<void> {
  const ended = await stopKept();
  const lines = ended === undefined ? ["no demo was left running"] : [`ended the demo at ${ended.rpcUrl}`];
  out.result({ ended: ended ?? null }, () => lines);
}

async function tryCheat(out: Output, name: string): Promise<void> {
  const started = performance.now();
  out.note(`trying ${name} on a chain of its own`);
  const result = await cheat(name);
  out.result(result, () => [
    `${name}: ${result.attackFailed ? "failed, as it must" : "SUCCEEDED"} (${duration(performance.now() - started)})`,
    `  ${result.how}`,
    `  gained: ${result.gained}`,
  ]);
  if (!result.attackFailed) process.exitCode = ExitCode.failed;
}

function listCheats(out: Output): void {
  const listed = ATTACKS.map(({ name, expected }) => ({ name, expected }));
  out.result(listed, () => listed.map(({ name, expected }) => `${name}: ${expected}`));
}

async function run(flags: Flags): Promise<void> {
  const out = new Output(flags);
  if (flags.app === true) await demoApp(out, stopwatch());
  else if (flags.stop === true) await stop(out);
  else if (flags.cheat === undefined) await mainJob(out, flags);
  else if (flags.cheat === "list") listCheats(out);
  else await tryCheat(out, flags.cheat);
}

export function registerDemo(program: Command): void {
  const command = program
    .command("demo")
    .description("the main job on real input: register, serve, use, prove, settle; or an attack on it")
    .option("--app", "leave chain, service and wallet UI running with the demo's data, to click through")
    .option("--cheat <name>", "try one attack and see it fail; `list` names them")
    .option("--keep", "leave chain and data, transcript included, for `audit`")
    .option("--stop", "end what an earlier --keep left, and remove its data")
    .option("--modules-per-proof <n>", "modules one proof covers: a number, or all", modulesPerProof, 1);
  withOutput(command).action(run);
}
