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
        try {
          return await work();
        } finally {
          release();
        }
      },
      abandon: () => {
        if (state === "waiting") release();
      },
    };
  }
}
