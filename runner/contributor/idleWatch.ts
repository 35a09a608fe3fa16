/** Buyers who left without a word: what they signed for need not wait for a deadline that they chose. */
import type { Hex } from "../protocol/bytes.ts";

/** How far an agreement is, in tokens, and its newest pass, in modules: one may take long. */
interface Place {
  tokens: bigint;
  covered: bigint;
  answered: number;
}

export class IdleWatch {
  readonly #idleMs: number;
  /** Where each agreement was found, and since when; milliseconds of performance.now(). A restart begins anew. */
  readonly #found = new Map<Hex, Place & { since: number }>();

  constructor(idleSeconds: number) {
    this.#idleMs = 1000 * idleSeconds;
  }

  /** Whether nothing was asked or signed for as long as it is waited. Without a receipt nothing is won by an end. */
  isLeft(agreementId: Hex, { tokens, covered, answered }: Place): boolean {
    const found = this.#found.get(agreementId);
    if (found?.tokens === tokens && found.covered === covered && found.answered === answered)
      return covered > 0n && performance.now() - found.since >= this.#idleMs;
    this.#found.set(agreementId, { tokens, covered, answered, since: performance.now() });
    return false;
  }

  forget(agreementId: Hex): void {
    this.#found.delete(agreementId);
  }
}
