/** Ending the HTTP service: nothing new is taken, answers under way are finished, what never ends is cut off. */
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { DeltapayError } from "../protocol/errors.ts";
import type { Holds } from "./holds.ts";

/** Milliseconds a request that is half sent has to come, once the service ends. */
const HALF_SENT_GRACE = 5000;

export class Drain {
  readonly #app: FastifyInstance;
  readonly #holds: Holds;
  #isStopping = false;
  /** Requests read to their end whose answers are not out yet. */
  #answering = 0;
  #onIdle = (): void => {};

  /** Made before the service listens. */
  constructor(app: FastifyInstance, holds: Holds) {
    this.#app = app;
    this.#holds = holds;
    app.addHook("onRequest", async () => {
      if (this.#isStopping)
        throw new DeltapayError("wire/stopping", "the service is stopping", {
          hint: "ask again when it is back: a session goes on where it was",
        });
    });
    app.addHook("preHandler", async (_request, reply) => {
      this.#answering++;
      reply.raw.once("close", () => {
        if (--this.#answering === 0) this.#onIdle();
      });
    });
    app.addHook("onSend", async (_request, reply) => {
      if (this.#isStopping) reply.header("connection", "close");
    });
  }

  /** Takes nothing new and waits for what is under way, `mostMs` at most; then closes every connection. */
  async close(mostMs: number): Promise<void> {
    this.#isStopping = true;
    const timers = new AbortController();
    const after = (ms: number): Promise<void> =>
      sleep(ms, undefined, { signal: timers.signal }).catch(() => undefined);
    const closed = Promise.resolve(this.#app.close());
    const worked = Promise.all([this.#answered(), this.#holds.idle()]);
    await Promise.race([
      Promise.all([worked, closed]),
      Promise.all([worked, after(HALF_SENT_GRACE)]),
      after(mostMs),
    ]);
    timers.abort();
    this.#app.server.closeAllConnections();
    await closed;
  }

  #answered(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#answering === 0) resolve();
    });
  }
}
