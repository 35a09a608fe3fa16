/** One generation at a time, in the order asked: an agreement has one pass under way. */
import { GatewayError } from "./errors.ts";

/** Generations that may wait. */
export const MAX_WAITING = 64;

export class Turns {
  /** Begin the turns of those who wait. */
  readonly #waiting: (() => void)[] = [];
  #whenIdle: (() => void)[] = [];
  #taken = false;

  /**
   * Runs `work` when all before it are done. A caller that gives up while it waits leaves its place to others at once.
   * @throws GatewayError 429 when too many wait; the signal's reason; what `work` throws
   */
  async take<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    if (this.#taken) await this.#wait(signal);
    this.#taken = true;
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      this.#end();
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    if (this.#taken) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING)
      throw new GatewayError(429, "too_many_requests", `${MAX_WAITING} requests are waiting`);
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(begin);
    });
  }

  /** The turn goes to the next, or is free. */
  #end(): void {
    const next = this.#waiting.shift();
    this.#taken = next !== undefined;
    if (next !== undefined) next();
    else for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
