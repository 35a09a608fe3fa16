/** A real command of the product as a child process, its steps watched, that may be killed at one of them. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import type { FaultPlan, Kill, LogLine } from "./faultPlan.ts";

const MAIN = fileURLToPath(new URL("../../runner/cli/main.ts", import.meta.url));
const PRELOAD = new URL("preload.ts", import.meta.url).href;
const END_WITH_PARENT = new URL("../../runner/chain/endWithParent.ts", import.meta.url).href;

export interface Ended {
  code: number | null;
  /** Step it was killed at; "random" when it was killed from outside; undefined when it ended by itself. */
  killedAt: string | undefined;
  document: Record<string, unknown> | undefined;
  stderr: string;
}

/** Nothing of the machine's own accounts, folders or nodes leaks into a test. */
function environment(plan: FaultPlan): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("DELTAPAY_") || name === "DELTAPAY_KEYS",
  );
  // Hundreds of processes compile the same files.
  const NODE_COMPILE_CACHE = path.join(path.dirname(plan.log), "..", "compiled");
  return { ...Object.fromEntries(own), NODE_COMPILE_CACHE, FAULT_PLAN: JSON.stringify(plan) };
}

export class CommandUnderTest {
  readonly ended: Promise<Ended>;
  /** Its first JSON document: the result, or for a service that it is ready. */
  readonly ready: Promise<Record<string, unknown>>;
  /** File of what it did. */
  readonly log: string;
  readonly #child: ChildProcess;
  #read = 0;
  #stdout = "";
  #stderr = "";
  #killedFromOutside = false;

  constructor(args: readonly string[], log: string, kill: Kill | undefined) {
    this.log = log;
    fs.writeFileSync(log, "");
    const child = spawn(
      process.execPath,
      [
        ...["--disable-warning=ExperimentalWarning", "--import", END_WITH_PARENT, "--import", PRELOAD],
        ...[MAIN, ...args, "--json"],
      ],
      {
        env: environment({ log, ...(kill && { kill }) }),
        stdio: ["ignore", "pipe", "pipe", "ipc"],
      },
    );
    this.#child = child;
    child.stderr!.on("data", (bytes: Buffer) => {
      this.#stderr = (this.#stderr + bytes.toString()).slice(-4000);
    });
    this.ended = new Promise((resolve) => {
      child.once("close", (code) => resolve(this.#outcome(code)));
    });
    this.ready = new Promise((resolve) => {
      child.stdout!.on("data", (bytes: Buffer) => {
        this.#stdout += bytes.toString();
        const document = parsed(this.#stdout);
        if (document !== undefined) resolve(document);
      });
    });
  }

  #outcome(code: number | null): Ended {
    const killedAt = this.allLines().flatMap((line) => ("killed" in line ? [line.killed] : []))[0];
    return {
      code,
      killedAt: killedAt ?? (this.#killedFromOutside && code === null ? "random" : undefined),
      document: parsed(this.#stdout),
      stderr: this.#stderr,
    };
  }

  /** Everything written so far. */
  allLines(): LogLine[] {
    return fs
      .readFileSync(this.log, "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Lines written since the last call. */
  newLines(): LogLine[] {
    const lines = this.allLines();
    const fresh = lines.slice(this.#read);
    this.#read = lines.length;
    return fresh;
  }

  /** Ends it as a power cut would. */
  kill(): void {
    this.#killedFromOutside = true;
    this.#child.kill("SIGKILL");
  }

  /** Asks it to end. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.ended;
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  if (!text.endsWith("}\n")) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
