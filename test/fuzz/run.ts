/** Fuzzes many targets, each in a process of its own kind. */
import { fuzzTarget, type TargetReport } from "./fuzzTarget.ts";
import { TARGET_NAMES } from "./targets.ts";
import { Watched } from "./watch.ts";

export interface FuzzOptions {
  /** Of the clock, over all targets. */
  seconds: number;
  seed: number;
  /** Processes at a time. */
  jobs?: number;
  /** Default all. */
  names?: readonly string[];
  onTarget?: (report: TargetReport, done: number, total: number) => void;
}

/** Reports in the order of the names. */
export async function fuzz(options: FuzzOptions): Promise<TargetReport[]> {
  const { jobs = 2, names = TARGET_NAMES, seed, seconds } = options;
  const milliseconds = (1000 * seconds * Math.min(jobs, names.length)) / names.length;
  const reports: TargetReport[] = [];
  // Neighbours belong together: a lane's process loads them once.
  const lanes = Array.from({ length: jobs }, (_, lane) =>
    names.slice(Math.floor((lane * names.length) / jobs), Math.floor(((lane + 1) * names.length) / jobs)),
  );
  await Promise.all(
    lanes.map(async (lane) => {
      const watched = new Watched();
      try {
        for (const name of lane) {
          reports.push(await fuzzTarget(watched, name, seed, milliseconds));
          options.onTarget?.(reports.at(-1)!, reports.length, names.length);
        }
      } finally {
        watched.close();
      }
    }),
  );
  return reports.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
}
