/** Long computations as steps of some milliseconds: run to their end, or with other work between them. */

/** Runs steps to their end without a pause. */
export function finish<Result>(steps: Generator<void, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
