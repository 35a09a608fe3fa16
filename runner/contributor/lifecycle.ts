/** What becomes of agreements without anybody asking: serving ends in time, proofs are made, receipts are settled. */
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { isUsedUp, servingEnds } from "./admission.ts";
import type { OnEvent } from "./events.ts";
import type { Sessions } from "./sessions.ts";
import type { Settlement } from "./settlement.ts";
import type { AgreementRecord } from "./store/agreements.ts";

export interface LifecycleOptions {
  sessions: Sessions;
  settlement: Settlement;
  /** Whether an agreement's adapter is served by this process. */
  isServed: (record: AgreementRecord) => boolean;
  onEvent?: OnEvent;
  /** First pause after a failure, milliseconds; doubled up to a minute. Default 1 s. */
  retryMs?: number;
}

const MAX_RETRY_MS = 60_000;

export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #retries = new Map<Hex, { at: number; pauseMs: number }>();

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /** Ends serving where the chain, the deadline or the deposit says so. */
  async watchServing(): Promise<void> {
    await this.#each(["serving"], "watching the agreement", async ({ agreementId, deadline }) => {
      const { sessions } = this.#options;
      const { agreement, now } = await sessions.watch.newest(agreementId);
      const limits = sessions.limits(agreementId);
      if (agreement.status !== "open" || agreement.deadline !== BigInt(deadline))
        sessions.endServing(agreementId, `the agreement is ${agreement.status} on chain`);
      else if (now >= servingEnds(agreement.deadline, limits.margin))
        sessions.endServing(agreementId, "the deadline is near");
      else if (isUsedUp({ ...limits, agreement })) sessions.endServing(agreementId, "the deposit is used up");
    });
  }

  /** Proves and settles what has ended. */
  async settleEnded(): Promise<void> {
    await this.#each(["ended", "proving"], "settling", async (record) => {
      if (await this.#closeIfHopeless(record)) return;
      const { status } = await this.#options.settlement.settleAgreement(record.agreementId);
      if (status === "settled") this.#options.sessions.forget(record.agreementId);
    });
  }

  /** Whether nothing can be or remains to be settled. */
  async #closeIfHopeless({ agreementId, wrongReceipt, tokens }: AgreementRecord): Promise<boolean> {
    const { sessions, settlement } = this.#options;
    const { agreement, now } = await sessions.watch.newest(agreementId);
    const isOver = agreement.status === "refunded" || agreement.status === "released";
    if (isOver || now > agreement.deadline) {
      // Settled by an earlier run or an operator: what is left is to see it final.
      if (await settlement.isSettled(agreementId)) return false;
      const reason = isOver
        ? `the agreement was ${agreement.status}`
        : "the deadline passed before settlement";
      return this.#close(agreementId, reason);
    }
    const newest = sessions.receipts.newest(agreementId);
    if (newest !== undefined) return false;
    if (wrongReceipt || tokens === 0) return this.#close(agreementId, "there is no receipt to settle");
    // Tokens were served: a receipt may still come.
    return true;
  }

  #close(agreementId: Hex, reason: string): true {
    const { sessions, onEvent } = this.#options;
    if (sessions.agreements.move(agreementId, ["ended", "proving"], "closed", reason))
      onEvent?.({ type: "closed", agreementId, reason });
    sessions.forget(agreementId);
    return true;
  }

  /** Runs `work` for each agreement of some phases; a failure is told, and tried again later. */
  async #each(
    phases: readonly AgreementRecord["phase"][],
    doing: string,
    work: (record: AgreementRecord) => Promise<void>,
  ): Promise<void> {
    const { sessions, isServed, onEvent, retryMs = 1000 } = this.#options;
    for (const record of sessions.agreements.list(phases).filter(isServed)) {
      const { agreementId } = record;
      const retry = this.#retries.get(agreementId);
      if (retry !== undefined && performance.now() < retry.at) continue;
      try {
        await work(record);
        this.#retries.delete(agreementId);
      } catch (error) {
        const pauseMs = Math.min(MAX_RETRY_MS, retry === undefined ? retryMs : retry.pauseMs * 2);
        this.#retries.set(agreementId, { at: performance.now() + pauseMs, pauseMs });
        onEvent?.({ type: "failed", agreementId, doing, error: asDeltapayError(error) });
      }
    }
  }
}

/** Errors of other libraries, in the one form events carry. */
export function asDeltapayError(error: unknown): DeltapayError {
  if (error instanceof DeltapayError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DeltapayError("internal/error", message, { cause: error });
}
