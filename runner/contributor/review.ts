/**
 * Settlements looked at again. What was final cannot be undone on an honest chain; a local chain can be turned back, a
 * node can lie. Then a receipt that counted as paid, or as lapsed, is settled again.
 */
import type { Hex } from "../protocol/bytes.ts";
import { asDeltapayError } from "../protocol/errors.ts";
import type { OnEvent } from "./events.ts";
import { Retries } from "./retries.ts";
import type { Sessions } from "./sessions.ts";
import type { Settlement } from "./settlement.ts";
import type { AgreementRecord } from "./store/agreements.ts";
import { nowSeconds } from "./store/rows.ts";

export interface ReviewOptions {
  sessions: Sessions;
  settlement: Settlement;
  /** Whether an agreement's adapter is served by this process. */
  isServed: (record: AgreementRecord) => boolean;
  onEvent?: OnEvent;
}

export class Review {
  readonly #options: ReviewOptions;
  readonly #retries = new Retries<Hex>(1000);

  constructor(options: ReviewOptions) {
    this.#options = options;
  }

  /** Looks at every agreement that counts as over and could still settle; those the chain shows unpaid are taken up again. */
  async run(): Promise<void> {
    const { sessions, onEvent } = this.#options;
    for (const agreementId of sessions.agreements.ids(["settled", "closed"], nowSeconds())) {
      if (!this.#retries.isDue(agreementId)) continue;
      try {
        await this.#look(agreementId);
        this.#retries.succeeded(agreementId);
      } catch (error) {
        this.#retries.failed(agreementId);
        const doing = "reviewing the settlement";
        onEvent?.({ type: "failed", agreementId, doing, error: asDeltapayError(error) });
      }
    }
  }

  async #look(agreementId: Hex): Promise<void> {
    const { sessions, isServed, onEvent } = this.#options;
    const { agreements, receipts } = sessions;
    const record = agreements.get(agreementId);
    if (!isServed(record)) return;
    if (receipts.newest(agreementId) === undefined || !(await this.#isUnpaid(agreementId))) return;
    const was = record.phase === "settled" ? "settled" : "closed";
    agreements.setSettlement(agreementId, null);
    if (agreements.move(agreementId, [was], was === "settled" ? "proving" : "ended"))
      onEvent?.({ type: "reopened", agreementId, was });
  }

  /** Whether the chain shows the agreement as one that can settle, and its newest receipt as not settled. */
  async #isUnpaid(agreementId: Hex): Promise<boolean> {
    const { sessions, settlement } = this.#options;
    const seen = await sessions.watch.look(agreementId);
    // Nothing more is kept of an agreement that is over.
    sessions.watch.forget(agreementId);
    if (seen === undefined) return false;
    const { status, deadline } = seen.agreement;
    if ((status !== "open" && status !== "closing") || seen.now > deadline) return false;
    return !(await settlement.isSettled(agreementId));
  }
}
