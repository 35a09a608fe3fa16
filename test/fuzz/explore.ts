/** Draws inputs for a target and runs them until time is up or something breaks. */
import { SeededRandom } from "../kill/random.ts";
import { mutateBytes } from "./mutateBytes.ts";
import { type FuzzTarget, isRefusal } from "./target.ts";

/** What broke: the same signature is the same fault. */
export interface Failure {
  signature: string;
  message: string;
}

export interface Explored {
  inputs: number;
  /** Kinds of outcome seen: a measure of how far the inputs came. */
  outcomes: number;
  crash?: { input: Uint8Array; failure: Failure };
}

const INPUTS_BETWEEN_LOOKS = 16;
const MUCH_GARBAGE = 200 * 2 ** 20;
let afterCollecting = process.memoryUsage.rss();

/** Lest the garbage of many inputs look like the memory of one. */
function collectGarbage(): void {
  if (process.memoryUsage.rss() < afterCollecting + MUCH_GARBAGE) return;
  globalThis.gc?.();
  afterCollecting = process.memoryUsage.rss();
}

/** Inputs kept to go on from. */
const MAX_POOL = 1024;
const MAX_POOLED_BYTES = 64 * 1024;

/** The first own line of a stack: where it broke. */
function placeOf(error: Error): string {
  const lines = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  const own = lines.find((line) => /\/(?:runner|test)\//.test(line)) ?? lines[0] ?? "";
  return /([\w.-]+\.[cm]?[tj]s):\d+/.exec(own)?.[1] ?? "";
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { signature: "not an error", message: String(error) };
  const place = error instanceof RangeError ? "" : placeOf(error);
  return { signature: `${error.name} ${place}`, message: `${error.name}: ${error.message.slice(0, 300)}` };
}

/** What a message says whatever the input is. */
function withoutValues(message: string): string {
  return message
    .slice(0, 1000)
    .replace(/'.*'|".*"|0x[0-9a-f]+|\d+/gis, "")
    .slice(0, 60);
}

/** Runs one input. @returns what broke, or the kind of outcome */
export async function runInput(target: FuzzTarget, input: Uint8Array): Promise<Failure | string> {
  try {
    const result = target.run(input);
    if (result instanceof Promise) await result;
    return "accepted";
  } catch (error) {
    if (!isRefusal(target, error)) return failureOf(error);
    const { code = "", message } = error as Error & { code?: string };
    return `${code} ${withoutValues(message)}`;
  }
}

export interface ExploreOptions {
  seed: number;
  milliseconds: number;
  /** Inputs beside the target's own seeds. */
  corpus: readonly Uint8Array[];
  /** Faults known already. */
  known: readonly string[];
  /** Hears of an input before it runs. */
  before: (input: Uint8Array) => void;
}

export async function explore(target: FuzzTarget, options: ExploreOptions): Promise<Explored> {
  const random = new SeededRandom(options.seed);
  const until = performance.now() + options.milliseconds;
  const pool = [...target.seeds, ...options.corpus];
  const seen = new Set<string>();
  let inputs = 0;
  const next = (): Uint8Array => {
    if (inputs < pool.length && inputs < target.seeds.length) return pool[inputs]!;
    if (target.generate !== undefined && random.next() < 0.15) return target.generate(random);
    const base = random.pick(pool) ?? new Uint8Array();
    const mutator = random.next() < 0.6 ? random.pick(target.mutators) : undefined;
    return mutator?.(base, random) ?? mutateBytes(base, random, random.pick(pool) ?? base);
  };
  while (performance.now() < until) {
    if (inputs % INPUTS_BETWEEN_LOOKS === 0) collectGarbage();
    const input = next();
    options.before(input);
    const outcome = await runInput(target, input);
    inputs++;
    if (typeof outcome !== "string") {
      if (options.known.includes(outcome.signature)) continue;
      return { inputs, outcomes: seen.size, crash: { input, failure: outcome } };
    }
    if (seen.has(outcome)) continue;
    seen.add(outcome);
    if (pool.length < MAX_POOL && input.length <= MAX_POOLED_BYTES) pool.push(input);
  }
  return { inputs, outcomes: seen.size };
}
