/** The real command as a child process, as its users start it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../runner/cli/main.ts", import.meta.url));
const NODE = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN] as const;

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

type Environment = Record<string, string | undefined>;

/** Nothing of the machine's own accounts, folders or nodes leaks into a test. */
function environment(extra: Environment): Environment {
  const own = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("DELTAPAY_")),
  );
  const keys = process.env["DELTAPAY_KEYS"];
  return { ...own, ...(keys === undefined ? {} : { DELTAPAY_KEYS: keys }), ...extra };
}

function start(args: readonly string[], extra: Environment): { child: ChildProcess; output: Finished } {
  const [node, ...first] = NODE;
  const child = spawn(node, [...first, ...args], {
    env: environment(extra),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: Finished = { code: null, stdout: "", stderr: "" };
  child.stdout.on("data", (bytes: Buffer) => {
    output.stdout += bytes.toString();
  });
  child.stderr.on("data", (bytes: Buffer) => {
    output.stderr += bytes.toString();
  });
  return { child, output };
}

/** Runs a command to its end. */
export async function run(args: readonly string[], extra: Environment = {}): Promise<Finished> {
  const { child, output } = start(args, extra);
  const [code] = (await once(child, "close")) as [number | null];
  return { ...output, code };
}

/** Runs a command with --json that must succeed; its document. */
export async function runJson<Document = Record<string, unknown>>(
  args: readonly string[],
  extra: Environment = {},
): Promise<Document> {
  const { code, stdout, stderr } = await run([...args, "--json"], extra);
  if (code !== 0) throw new Error(`deltapay ${args.join(" ")}: exit ${code}\n${stdout}\n${stderr}`);
  return JSON.parse(stdout) as Document;
}

/** The error document and exit code of a command with --json that must fail. */
export async function failing(
  args: readonly string[],
  extra: Environment = {},
): Promise<{ code: number | null; error: { code: string; message: string; field?: string; hint?: string } }> {
  const { code, stdout } = await run([...args, "--json"], extra);
  const { error } = JSON.parse(stdout);
  return { code, error };
}

/** Starts a command and kills it, as a power cut would, once it has printed `text` on stderr. */
export async function killedAt(args: readonly string[], text: string): Promise<void> {
  const { child, output } = start([...args, "--json"], {});
  const closed = once(child, "close");
  child.stderr!.on("data", () => {
    if (output.stderr.includes(text)) child.kill("SIGKILL");
  });
  await closed;
  if (child.signalCode !== "SIGKILL")
    throw new Error(`it ended by itself:\n${output.stdout}\n${output.stderr}`);
}

/** Starts a command for people and asks it to end once it has printed `text`; how it ended. */
export async function stoppedAt(args: readonly string[], text: string): Promise<Finished> {
  const { child, output } = start(args, {});
  const closed = once(child, "close") as Promise<[number | null]>;
  child.stdout!.on("data", () => {
    if (output.stdout.includes(text)) child.kill("SIGTERM");
  });
  const [code] = await closed;
  return { ...output, code };
}

export interface Running<Document> {
  /** What it printed when it was ready. */
  ready: Document;
  output: Finished;
  signal(name: NodeJS.Signals): void;
  /** Its exit code once it has ended. */
  ended: Promise<number | null>;
  /** Asks it to end; its exit code. */
  stop(): Promise<number | null>;
}

/** Starts a command that runs until it is stopped, or the test is over, and waits for its document. */
export async function startJson<Document>(
  context: { after(work: () => void): void },
  args: readonly string[],
  extra: Environment = {},
): Promise<Running<Document>> {
  const { child, output } = start([...args, "--json"], extra);
  context.after(() => child.kill("SIGKILL"));
  const ended = (once(child, "close") as Promise<[number | null]>).then(([code]) => code);
  const early = ended.then(() => {
    throw new Error(`deltapay ${args.join(" ")} ended:\n${output.stdout}\n${output.stderr}`);
  });
  const printed = new Promise<Document>((resolve) => {
    child.stdout!.on("data", () => {
      if (/^}\n$/m.test(output.stdout)) resolve(JSON.parse(output.stdout) as Document);
    });
  });
  const ready = await Promise.race([printed, early]);
  early.catch(() => undefined);
  const stop = (): Promise<number | null> => {
    child.kill("SIGTERM");
    return ended;
  };
  return { ready, output, ended, stop, signal: (name) => void child.kill(name) };
}
