/** Work over keys of many sizes, in units that take about the same time. */
import type { OnProgress } from "../keys/devPtau.ts";

/** A key costs what its slots cost, and a part that does not depend on them. */
function cost(size: number): number {
  return size + 100;
}

/** Does the work of each size, telling how much of all of it is done. */
export async function eachSize<Result>(
  step: string,
  sizes: readonly number[],
  onProgress: OnProgress,
  work: (size: number) => Promise<Result>,
): Promise<Result[]> {
  const total = sizes.reduce((sum, size) => sum + cost(size), 0);
  const results: Result[] = [];
  let done = 0;
  onProgress(step, 0, total);
  for (const size of sizes) {
    results.push(await work(size));
    done += cost(size);
    onProgress(step, done, total);
  }
  return results;
}
