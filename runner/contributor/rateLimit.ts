/** How much those who have shown nothing may ask for: a token bucket a client, in bounded memory. */
import { DeltapayError } from "../protocol/errors.ts";
import { clientOf } from "../wire/clientAddress.ts";

export interface RateLimit {
  /** Requests a second in the long run. */
  perSecond: number;
  /** Requests at once. */
  burst: number;
}

const MAX_CLIENTS = 10_000;

export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  /** @param now milliseconds of a clock that never goes back */
  constructor(limit: RateLimit, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Counts one request of a client. @throws DeltapayError `wire/too-many-requests` */
  take(address: string): void {
    const client = clientOf(address);
    const at = this.#now();
    const { perSecond, burst } = this.#limit;
    const bucket = this.#buckets.get(client) ?? { left: burst, at };
    const left = Math.min(burst, bucket.left + ((at - bucket.at) / 1000) * perSecond);
    // Again at the end, so that the first in the map is the one unseen for longest.
    this.#buckets.delete(client);
    this.#buckets.set(client, { left: Math.max(0, left - 1), at });
    if (this.#buckets.size > MAX_CLIENTS) this.#buckets.delete(this.#buckets.keys().next().value!);
    if (left < 1)
      throw new DeltapayError("wire/too-many-requests", "too many requests from this address", {
        hint: "wait a moment",
      });
  }
}
