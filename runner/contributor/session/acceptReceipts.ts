/** Taking receipts (protocol 5.3): checked, durable before the buyer hears of it; a wrong one ends the agreement. */
import type { Hex } from "../../protocol/bytes.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { encodeState } from "../../protocol/sessionState.ts";
import type { Domain, Receipt } from "../../protocol/typedData.ts";
import { transaction } from "../../storage/database.ts";
import type { ContributorData } from "../dataFolder.ts";
import type { OnEvent } from "../events.ts";
import { checkReceipt } from "../receiptCheck.ts";
import type { LiveSession, LiveSessions } from "./liveSessions.ts";

export interface ReceiptsTakenOptions {
  data: ContributorData;
  domain: Domain;
  live: LiveSessions;
  onEvent?: OnEvent;
}

export class ReceiptsTaken {
  readonly #options: ReceiptsTakenOptions;

  constructor(options: ReceiptsTakenOptions) {
    this.#options = options;
  }

  /**
   * Checks and stores a receipt; it is durable when this returns. A wrong one ends the agreement: what came before it is
   * settled. One that came before is accepted again. One call of an agreement at a time.
   * @throws DeltapayError `receipt/...`, `signature/...`, `session/ended`, `session/wrong-answer`
   */
  async accept(agreementId: Hex, receipt: Receipt, signature: Hex): Promise<void> {
    const { data, live: sessions, onEvent } = this.#options;
    const live = sessions.get(agreementId);
    if (isSame(sessions.receipts.newest(agreementId)?.receipt, receipt)) return;
    this.#requireReceipts(agreementId);
    this.#refuseOutdated(agreementId, live, receipt);
    const { state } = live;
    const started = performance.now();
    const statements = await this.#check(agreementId, live, receipt, signature);
    transaction(data.database, () => {
      this.#requireReceipts(agreementId);
      sessions.receipts.add({ receipt, signature, statements }, encodeState(state));
    });
    live.covered = { passes: state.passes, tokens: state.tokens };
    const computeMs = performance.now() - started;
    onEvent?.({ type: "receipt", agreementId, ...live.covered, computeMs });
  }

  async #check(agreementId: Hex, live: LiveSession, receipt: Receipt, signature: Hex): Promise<Uint8Array[]> {
    const { domain, live: sessions } = this.#options;
    const { adapter, state } = live;
    const record = sessions.agreements.get(agreementId);
    try {
      return await checkReceipt(domain, adapter.key, adapter, record, state, receipt, signature);
    } catch (error) {
      if (error instanceof DeltapayError && /^(receipt|signature)\//.test(error.code))
        this.#refuseWrong(agreementId, receipt, signature, error);
      if (error instanceof DeltapayError && error.code === "session/wrong-answer")
        this.#stopAtWrongAnswer(agreementId, error);
      throw error;
    }
  }

  /** Receipts are taken until proving begins, but not after a wrong one. */
  #requireReceipts(agreementId: Hex): void {
    const { phase, reason, receiptsStopped } = this.#options.live.agreements.get(agreementId);
    if (receiptsStopped || (phase !== "serving" && phase !== "ended"))
      throw new DeltapayError("session/ended", `no more receipts are taken: ${reason}`, {
        hint: "open a new agreement",
      });
  }

  /** A receipt for fewer passes than were served is late rather than wrong: it is not taken, and nothing ends. */
  #refuseOutdated(agreementId: Hex, { state }: LiveSession, receipt: Receipt): void {
    if (receipt.agreementId !== agreementId || receipt.passes >= BigInt(state.passes) || receipt.passes < 1n)
      return;
    const earlier = this.#options.live.receipts.find(agreementId, receipt.passes);
    if (earlier !== undefined && !isSame(earlier.receipt, receipt)) return;
    throw new DeltapayError(
      "receipt/outdated",
      `the receipt covers ${receipt.passes} passes, ${state.passes} are finished`,
      { field: "receipt.passes", hint: `sign a receipt for ${state.passes} passes` },
    );
  }

  #refuseWrong(agreementId: Hex, receipt: Receipt, signature: Hex, error: DeltapayError): void {
    const { code, message } = error;
    this.#options.onEvent?.({ type: "receipt-refused", agreementId, code, reason: message });
    this.#stopForGood(agreementId, `wrong receipt (${code})`, () =>
      this.#options.live.receipts.refuse(agreementId, code, receipt, signature),
    );
  }

  /** The fault is here: what came before it is settled, nothing after it can be. */
  #stopAtWrongAnswer(agreementId: Hex, error: DeltapayError): void {
    this.#options.onEvent?.({ type: "failed", agreementId, doing: "checking a receipt", error });
    this.#stopForGood(agreementId, "a wrong answer was given here");
  }

  /** No pass and no receipt from here on, in one step with `record`: a crash leaves none of it or all. */
  #stopForGood(agreementId: Hex, reason: string, record: () => void = () => {}): void {
    const { agreements } = this.#options.live;
    const moved = transaction(this.#options.data.database, () => {
      record();
      agreements.stopReceipts(agreementId);
      return agreements.move(agreementId, ["serving"], "ended", reason);
    });
    if (moved) this.#options.onEvent?.({ type: "ended", agreementId, reason });
  }
}

function isSame(left: Receipt | undefined, right: Receipt): boolean {
  return (
    left !== undefined &&
    (["agreementId", "passes", "tokens", "head", "statementsHash"] as const).every(
      (field) => left[field] === right[field],
    )
  );
}
