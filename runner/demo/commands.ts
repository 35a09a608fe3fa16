/** Runs the product's own commands as separate processes, the way a person would. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { DeltapayError } from "../protocol/errors.ts";

const CLI = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
const END_WITH_PARENT = new URL("../chain/endWithParent.ts", import.meta.url).href;

/** A line a command wrote to stderr: progress, or an event. */
export type OnLine = (line: string) => void;

function start(args: readonly string[], onLine: OnLine): ChildProcess {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--import", END_WITH_PARENT, CLI, ...args, "--json"],
    { stdio: ["ignore", "pipe", "pipe", "ipc"] },
  );
  createInterface({ input: child.stderr! }).on("line", onLine);
  return child;
}

function failure(args: readonly string[], stdout: string, code: number | null): DeltapayError {
  const what = `deltapay ${args.slice(0, 2).join(" ")}`;
  try {
    const { error } = JSON.parse(stdout) as {
      error: { code: string; message: string; field?: string; hint?: string };
    };
    const { field, hint } = error;
    return new DeltapayError(error.code, `${what}: ${error.message}`, {
      ...(field === undefined ? {} : { field }),
      ...(hint === undefined ? {} : { hint }),
    });
  } catch {
    return new DeltapayError("demo/command-failed", `${what} ended with code ${code} and no result`);
  }
}

/**
 * Runs a command to its end.
 * @returns its JSON document
 * @throws DeltapayError the command's own error
 */
export async function runCommand<Result>(
  args: readonly string[],
  onLine: OnLine = () => {},
): Promise<Result> {
  const child = start(args, onLine);
  let stdout = "";
  child.stdout!.on("data", (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw failure(args, stdout, code);
  return JSON.parse(stdout) as Result;
}

/** A command that goes on until it is stopped. */
export interface RunningCommand<Result> {
  /** What it printed when it was ready. */
  result: Result;
  pid: number;
  /** Asks it to end and waits until it has. */
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

/**
 * Starts a command that prints its JSON document when it is ready and then goes on.
 * @throws DeltapayError the command's own error when it ends before
 */
export async function startCommand<Result>(
  args: readonly string[],
  onLine: OnLine = () => {},
): Promise<RunningCommand<Result>> {
  const child = start(args, onLine);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let stdout = "";
  const ready = new Promise<Result>((resolve) => {
    child.stdout!.on("data", (bytes: Buffer) => {
      stdout += bytes.toString();
      try {
        resolve(JSON.parse(stdout) as Result);
      } catch {
        // not all of it yet
      }
    });
  });
  const result = await Promise.race([
    ready,
    ended.then((code) => {
      throw failure(args, stdout, code);
    }),
  ]);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return { result, pid: child.pid!, stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
}
