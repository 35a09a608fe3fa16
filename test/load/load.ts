/** Many buyers at the same time at one real service with two adapters, on a real chain. */
import { type ChildProcess, fork } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { startLocalNode } from "../../runner/chain/localNode.ts";
import { runCommand, startCommand } from "../../runner/demo/commands.ts";
import { FIXTURES } from "../../runner/demo/fixtures.ts";
import type { RegisterResult } from "../../runner/demo/results.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import type { BuyerFigures, BuyersTask, Command } from "./buyers.ts";
import { Meter, percentile, type Usage } from "./measure.ts";

export interface LoadOptions {
  buyers: number;
  seconds: number;
  /** Tokens of a pass. */
  tokens?: number;
  /** Processes the buyers share. */
  processes?: number;
  /** Folder for a profile of the service. */
  profile?: string;
  onStep?: (step: string) => void;
}

export interface LoadFigures extends Usage {
  buyers: number;
  processes: number;
  seconds: number;
  tokensPerPass: number;
  passes: number;
  tokensPerSecond: number;
  /** Of a pass, receipts that fell due in it included. */
  p50Ms: number;
  p99Ms: number;
  /** Of one round trip in it. */
  requestP50Ms: number;
  requestP99Ms: number;
  /** Passes of the buyer with the fewest and with the most, by adapter. */
  fairness: { adapter: string; min: number; max: number }[];
  serviceCpuMsPerPass: number;
  loadAverage: number;
  errors: number;
  /** The first few. */
  messages: string[];
}

const CONTRIBUTOR = 1;
const FIRST_BUYER = 2;
/** A node of Hardhat has twenty accounts with money. */
const BUYER_ACCOUNTS = 18;

class Buyers {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(new URL("buyers.ts", import.meta.url), {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
  }

  ask(command: Command): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void => reject(new Error(`buyers ended with ${code}`));
      this.#child.once("exit", ended);
      this.#child.once("message", ({ answer, failure }: { answer?: unknown; failure?: string }) => {
        this.#child.off("exit", ended);
        if (failure === undefined) resolve(answer);
        else reject(new Error(failure));
      });
      this.#child.send(command);
    });
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}

/** Prepares chain, adapters and offers, and measures. @throws Error when a party cannot do its part */
export async function load(options: LoadOptions): Promise<LoadFigures> {
  const { onStep = () => {} } = options;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "deltapay-load-"));
  onStep("starting a chain");
  const node = await startLocalNode();
  try {
    const deploymentFile = path.join(folder, "deployment.json");
    const chain = { rpcUrl: node.rpcUrl, deploymentFile };
    const flags = ["--rpc", node.rpcUrl, "--deployment", deploymentFile];
    await runCommand(["deploy", ...flags]);
    const own = ["--account", String(CONTRIBUTOR), "--data", path.join(folder, "contributor"), ...flags];
    const adapters: { name: string; id: Hex }[] = [];
    for (const [name, directory] of Object.entries(FIXTURES.adapters)) {
      onStep(`registering ${name}`);
      adapters.push({ name, id: await registered(directory, options, own) });
    }
    return await atService(own, options, (service) =>
      measure(options, { folder, chain, url: service.url }, service.pid, adapters),
    );
  } finally {
    await node.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function registered(
  directory: string,
  { buyers, tokens = 16 }: LoadOptions,
  own: string[],
): Promise<Hex> {
  const register = ["adapter", "register", directory, "--model", FIXTURES.model, ...own];
  const { adapterId } = await runCommand<RegisterResult>(register);
  const terms = ["--price", "1wei", "--fee", "0", "--max-unpaid", String(16 * tokens), "--cap", "1000000000"];
  await runCommand([
    "offer",
    "make",
    "--adapter",
    adapterId,
    ...terms,
    "--max-opens",
    String(buyers),
    ...own,
  ]);
  return adapterId;
}

async function atService<Result>(
  own: string[],
  { profile, onStep }: LoadOptions,
  work: (service: { url: string; pid: number }) => Promise<Result>,
): Promise<Result> {
  const before = process.env["NODE_OPTIONS"];
  if (profile !== undefined) process.env["NODE_OPTIONS"] = `--cpu-prof --cpu-prof-dir=${profile}`;
  onStep?.("starting the service");
  const serve = ["serve", "--port", "0", "--no-settle", ...own];
  const service = await startCommand<{ url: string }>(serve);
  if (before === undefined) delete process.env["NODE_OPTIONS"];
  else process.env["NODE_OPTIONS"] = before;
  try {
    return await work({ url: service.result.url, pid: service.pid });
  } finally {
    await service.stop();
  }
}

async function measure(
  options: LoadOptions,
  where: Pick<BuyersTask, "folder" | "chain" | "url">,
  pid: number,
  adapters: readonly { name: string; id: Hex }[],
): Promise<LoadFigures> {
  const { buyers, seconds, tokens = 16, processes = 2, onStep = () => {} } = options;
  const all = Array.from({ length: buyers }, (_, i) => ({
    account: FIRST_BUYER + (i % BUYER_ACCOUNTS),
    adapterId: adapters[i % adapters.length]!.id,
  }));
  const groups = Array.from({ length: processes }, () => new Buyers());
  try {
    // One after the other: two processes must not send an account's transactions at once.
    for (const [p, group] of groups.entries()) {
      onStep(`opening the agreements of process ${p + 1} of ${processes}`);
      const folder = path.join(where.folder, `process-${p}`);
      const own = all.filter((_, i) => i % processes === p);
      const task = { ...where, folder, model: FIXTURES.model, buyers: own, tokens };
      await group.ask({ kind: "open", task });
    }
    const warmUp = Math.min(10, seconds / 4);
    onStep(`${buyers} buyers for ${seconds} s`);
    const running = groups.map((group) =>
      group.ask({ kind: "run", warmUp: 1000 * warmUp, measured: 1000 * seconds }),
    );
    await new Promise((resolve) => setTimeout(resolve, 1000 * warmUp));
    const meter = new Meter(pid);
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    const usage = meter.end();
    const figures = ((await Promise.all(running)) as BuyerFigures[][]).flat();
    return { ...together(figures, options, usage, adapters), processes };
  } finally {
    for (const group of groups) group.end();
  }
}

function together(
  figures: readonly BuyerFigures[],
  { buyers, seconds, tokens = 16 }: LoadOptions,
  usage: Usage,
  adapters: readonly { name: string; id: Hex }[],
): Omit<LoadFigures, "processes"> {
  const sorted = (values: number[][]): number[] => values.flat().sort((a, b) => a - b);
  const passes = sorted(figures.map((one) => one.passes));
  const requests = sorted(figures.map((one) => one.requests));
  const messages = figures.flatMap((one) => [
    ...one.errors,
    ...(one.agrees ? [] : ["buyer and service disagree on what was served"]),
  ]);
  const round = (value: number): number => Math.round(10 * value) / 10;
  return {
    ...{ buyers, seconds, tokensPerPass: tokens, passes: passes.length },
    tokensPerSecond: Math.round((passes.length * tokens) / seconds),
    p50Ms: round(percentile(passes, 0.5)),
    p99Ms: round(percentile(passes, 0.99)),
    requestP50Ms: round(percentile(requests, 0.5)),
    requestP99Ms: round(percentile(requests, 0.99)),
    ...usage,
    fairness: adapters.map(({ name, id }) => {
      const counts = figures.filter(({ adapterId }) => adapterId === id).map((one) => one.passes.length);
      return { adapter: name, min: Math.min(...counts), max: Math.max(...counts) };
    }),
    serviceCpuMsPerPass: round((1000 * usage.cpuSeconds) / Math.max(1, passes.length)),
    loadAverage: round(os.loadavg()[0]!),
    errors: messages.length,
    messages: messages.slice(0, 10),
  };
}
