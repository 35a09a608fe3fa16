/** Fuzzes one target: explores, makes what broke small, keeps it, goes on. */
import { corpusOf, keepInput } from "./corpus.ts";
import type { Failure } from "./explore.ts";
import { minimise } from "./minimise.ts";
import type { Ended, Watched } from "./watch.ts";

export interface Crash {
  signature: string;
  message: string;
  /** File of the input, made small; empty when the process died without a word. */
  input: string;
}

export interface TargetReport {
  name: string;
  inputs: number;
  outcomes: number;
  /** Processes ended for an input that alone does no harm: a busy machine, or memory of many inputs. */
  restarts: number;
  crashes: Crash[];
}

/** Inputs below which a run has said nothing about its target, and what is done about it. */
const LEAST_INPUTS = 10;
const MOST_EXTRA_ROUNDS = 5;
const EXTRA_MS = 200;
/** Faults after which a target is given up. */
const MOST_CRASHES = 5;

/** Runs one input alone. @returns what broke */
export async function replay(
  watched: Watched,
  target: string,
  input: Uint8Array,
): Promise<Failure | undefined> {
  const result = await watched.ask({ kind: "run", target, input });
  return "ended" in result ? result.ended.failure : result.answer.failure;
}

export async function fuzzTarget(
  watched: Watched,
  name: string,
  seed: number,
  milliseconds: number,
): Promise<TargetReport> {
  const report: TargetReport = { name, inputs: 0, outcomes: 0, restarts: 0, crashes: [] };
  const corpus = [...corpusOf(name).values()];
  const until = performance.now() + milliseconds;
  // A busy machine can spend a short run's time on starting the process: then it goes on, with some more.
  const tooFew = (round: number): boolean => report.inputs < LEAST_INPUTS && round < MOST_EXTRA_ROUNDS;
  for (let round = 0; performance.now() < until || tooFew(round); round++) {
    const result = await watched.ask({
      ...{ kind: "explore", target: name, seed: seed + round, corpus },
      milliseconds: Math.max(EXTRA_MS, until - performance.now()),
      known: report.crashes.map(({ signature }) => signature),
    });
    let crash: Ended | undefined;
    if ("ended" in result) {
      report.restarts++;
      crash = await confirmed(watched, name, result.ended);
    }
    if ("answer" in result) {
      report.inputs += result.answer.inputs ?? 0;
      report.outcomes = Math.max(report.outcomes, result.answer.outcomes ?? 0);
      crash = result.answer.crash;
    }
    if (crash === undefined) continue;
    report.crashes.push(await kept(watched, name, crash));
    if (report.crashes.length >= MOST_CRASHES) break;
  }
  return report;
}

/** A process that was ended may have been a victim of a busy machine, or of garbage of earlier inputs. */
async function confirmed(watched: Watched, target: string, ended: Ended): Promise<Ended | undefined> {
  if (ended.input === undefined) return ended;
  const failure = await replay(watched, target, ended.input);
  return failure && { input: ended.input, failure };
}

async function kept(watched: Watched, target: string, { input, failure }: Ended): Promise<Crash> {
  if (input === undefined) return { ...failure, input: "" };
  const small = await minimise(
    input,
    async (candidate) => (await replay(watched, target, candidate))?.signature === failure.signature,
  );
  return { ...failure, input: keepInput(target, small) };
}
