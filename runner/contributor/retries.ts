/** When something that failed is tried again: later each time, never all at the same moment. */

/** Longest pause, milliseconds. */
const MAX_PAUSE_MS = 60_000;

export class Retries<Key> {
  readonly #firstMs: number;
  readonly #failed = new Map<Key, { until: number; pauseMs: number }>();

  /** @param firstMs pause after the first failure; doubled with each, up to a minute */
  constructor(firstMs: number) {
    this.#firstMs = firstMs;
  }

  /** Whether it may be tried now. */
  isDue(key: Key): boolean {
    const failed = this.#failed.get(key);
    return failed === undefined || performance.now() >= failed.until;
  }

  /** Notes a failure. @returns milliseconds until the next try */
  failed(key: Key): number {
    const before = this.#failed.get(key);
    const pauseMs = Math.min(MAX_PAUSE_MS, before === undefined ? this.#firstMs : before.pauseMs * 2);
    // From half to one and a half of it: what failed together does not come back together.
    const jittered = pauseMs * (0.5 + Math.random());
    this.#failed.set(key, { until: performance.now() + jittered, pauseMs });
    return jittered;
  }

  succeeded(key: Key): void {
    this.#failed.delete(key);
  }
}
