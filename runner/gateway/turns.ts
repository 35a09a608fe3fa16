/** One generation at a time, in the order asked: an agreement has one pass under way. */
import { GatewayError } from "./errors.ts";

/** Generations that may wait. */
export const MAX_WAITING = 64;

export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /**
   * Runs `work` when all before it are done. A caller that gives up while it waits loses its place at once.
   * @throws GatewayError 429 when too many wait; the signal's reason; what `work` throws
   */
  async take<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= MAX_WAITING)
      throw new GatewayError(429, "too_many_requests", `${MAX_WAITING} requests are waiting`);
    this.#waiting += 1;
    const turn = this.#last.then(() => {
      this.#waiting -= 1;
      signal.throwIfAborted();
      return work();
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when all that was asked is done. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
