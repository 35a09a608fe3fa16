/** Long computations in slices, so that everybody else is answered in between. */
import { setImmediate as otherWork } from "node:timers/promises";

/** Milliseconds the event loop is kept at a time, and then the end of the step under way. */
const SLICE_MS = 8;

/** Runs steps to their end; whatever else is due has its turn after every slice. */
export async function inSlices<Result>(steps: Generator<void, Result>): Promise<Result> {
  for (;;) {
    const until = performance.now() + SLICE_MS;
    while (performance.now() < until) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
    await otherWork();
  }
}
