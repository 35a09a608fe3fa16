/** One request of an agreement at a time (protocol 5): a second one is refused, not queued. */
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";

/** The right to work on an agreement. */
export interface Hold {
  /** Does the work and gives the agreement free. @throws DeltapayError `session/abandoned` */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Gives the agreement free, unless work has begun: then its end does. */
  abandon(): void;
}

export class Holds {
  readonly #held = new Set<Hex>();
  readonly #running = new Set<Promise<unknown>>();

  /** Waits for the work that has begun. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  /** @throws DeltapayError `session/busy` */
  take(agreementId: Hex): Hold {
    if (this.#held.has(agreementId))
      throw new DeltapayError("session/busy", "another request of this agreement is being answered", {
        hint: "one request is outstanding at a time: wait for its answer, then repeat this one",
      });
    this.#held.add(agreementId);
    let state: "waiting" | "running" | "over" = "waiting";
    const release = (): void => {
      if (state !== "over") this.#held.delete(agreementId);
      state = "over";
    };
    return {
      run: async (work) => {
        if (state !== "waiting")
          throw new DeltapayError("session/abandoned", "the connection was closed before the request began");
        state = "running";
        const running = work();
        this.#running.add(running);
        try {
          return await running;
        } finally {
          this.#running.delete(running);
          release();
        }
      },
      abandon: () => {
        if (state === "waiting") release();
      },
    };
  }
}
