/** The process inputs run in: it may hang, run out of memory or die, and is started again then. */
import { Worker } from "node:worker_threads";
import { explore, runInput } from "./explore.ts";
import { targetNamed } from "./targets.ts";
import { UnderWork } from "./underWork.ts";

/** Asked of the process. */
export type Task =
  | {
      kind: "explore";
      target: string;
      seed: number;
      milliseconds: number;
      corpus: Uint8Array[];
      known: string[];
    }
  | { kind: "run"; target: string; input: Uint8Array };

const DEFAULT_MEMORY_MB = 512;

const underWork = new UnderWork();
const verdict = process.argv[2]!;
const guard = new Worker(new URL("guard.ts", import.meta.url), {
  workerData: { shared: underWork.shared, verdict },
});
guard.unref();

async function work(task: Task): Promise<object> {
  const target = await targetNamed(task.target);
  globalThis.gc?.();
  const limit = Math.round(process.memoryUsage.rss() / 2 ** 20) + (target.memoryMb ?? DEFAULT_MEMORY_MB);
  const before = (input: Uint8Array): void => underWork.begin(input, limit);
  try {
    if (task.kind === "explore") return await explore(target, { ...task, before });
    before(task.input);
    const outcome = await runInput(target, task.input);
    return typeof outcome === "string" ? {} : { failure: outcome };
  } finally {
    underWork.end();
  }
}

process.once("disconnect", () => process.exit(0));
process.on("message", async (task: Task) => process.send!(await work(task)));
