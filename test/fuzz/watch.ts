/** A process that runs inputs, started again when one ended it. */
import { type ChildProcess, fork } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Task } from "./child.ts";
import type { Explored, Failure } from "./explore.ts";

/** Above what the guard allows, so that it tells which input it was. */
const HEAP_MB = 2048;

export type Answer = Partial<Explored> & { failure?: Failure };

/** What a process was ended by. The input is unknown when it died by itself. */
export interface Ended {
  input: Uint8Array | undefined;
  failure: Failure;
}

export class Watched {
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), "deltapay-fuzz-"));
  readonly #verdict = path.join(this.#folder, "verdict");
  #child: ChildProcess | undefined;

  /** Has the process do something. @returns its answer, or why it ended */
  ask(task: Task): Promise<{ answer: Answer } | { ended: Ended }> {
    this.#child ??= this.#start();
    const child = this.#child;
    return new Promise((resolve) => {
      const answered = (answer: unknown): void => {
        child.off("exit", exited);
        resolve({ answer: answer as Answer });
      };
      const exited = (code: number | null, signal: string | null): void => {
        child.off("message", answered);
        this.#child = undefined;
        resolve({ ended: this.#ended(`process: it ended with ${code ?? signal}`) });
      };
      child.once("message", answered);
      child.once("exit", exited);
      child.send(task);
    });
  }

  close(): void {
    this.#child?.kill("SIGKILL");
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  #start(): ChildProcess {
    return fork(new URL("child.ts", import.meta.url), [this.#verdict], {
      execArgv: ["--disable-warning=ExperimentalWarning", "--expose-gc", `--max-old-space-size=${HEAP_MB}`],
      serialization: "advanced",
      env: { ...process.env, TMPDIR: this.#folder },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
  }

  #ended(otherwise: string): Ended {
    if (!fs.existsSync(this.#verdict)) return { input: undefined, failure: failed(otherwise) };
    const why = fs.readFileSync(this.#verdict, "utf8");
    const input = new Uint8Array(fs.readFileSync(`${this.#verdict}.input`));
    fs.rmSync(this.#verdict);
    return { input, failure: failed(why) };
  }
}

function failed(why: string): Failure {
  return { signature: why.split(":")[0]!, message: why };
}
