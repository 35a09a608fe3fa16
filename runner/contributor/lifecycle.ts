/** What becomes of agreements without anybody asking: serving ends in time, proofs are made, receipts are settled. */
import type { Hex } from "../protocol/bytes.ts";
import { asDeltapayError } from "../protocol/errors.ts";
import { isUsedUp, servingEnds } from "./admission.ts";
import { type AgreementNow, notOnChain } from "./agreementWatch.ts";
import type { AgreementView } from "./chainView.ts";
import type { OnEvent } from "./events.ts";
import { IdleWatch } from "./idleWatch.ts";
import { Retries } from "./retries.ts";
import type { Sessions } from "./sessions.ts";
import type { Settlement } from "./settlement.ts";
import type { AgreementRecord } from "./store/agreements.ts";
import { nowSeconds } from "./store/rows.ts";

export interface LifecycleOptions {
  sessions: Sessions;
  settlement: Settlement;
  /** Whether an agreement's adapter is served by this process. */
  isServed: (record: AgreementRecord) => boolean;
  /** Seconds to wait for a last receipt when tokens are outstanding at the end. */
  receiptGrace: bigint;
  /** Ends an agreement with a receipt when nothing was asked for so many seconds. Default: its deadline alone ends it. */
  idleSeconds?: number;
  onEvent?: OnEvent;
  /** First pause after a failure, milliseconds. Default 1 s. */
  retryMs?: number;
}

/** An ended agreement as the chain has it. */
interface Ended {
  record: AgreementRecord;
  seen: AgreementNow;
}

/** Looks in a row that must not find an agreement on chain before it is served no more: one may have met a node behind. */
const MOST_ABSENT = 2;
/** Settlements on their way to the chain at once. */
const MAX_SENDING = 8;
/** Agreements looked at on chain at once: of many the last must not be looked at when its time is over. */
const MAX_LOOKING = 16;

export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #retries: Retries<Hex>;
  /** Looks in a row that did not find an agreement on chain. */
  readonly #absent = new Map<Hex, number>();
  readonly #sending = new Map<Hex, Promise<void>>();
  #isStopping = false;
  /** When an end with tokens outstanding was first seen, milliseconds of performance.now(). */
  readonly #endsSeen = new Map<Hex, number>();
  readonly #idle: IdleWatch;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#retries = new Retries(options.retryMs ?? 1000);
    this.#idle = new IdleWatch(options.idleSeconds ?? Number.POSITIVE_INFINITY);
  }

  /** Ends serving where the chain, the deadline or the deposit says so. */
  async watchServing(): Promise<void> {
    await this.#each(["serving"], "watching the agreement", async ({ agreementId, deadline }) => {
      const { sessions } = this.#options;
      const seen = await sessions.watch.look(agreementId);
      if (seen === undefined) return this.#absentWhileServed(agreementId);
      this.#absent.delete(agreementId);
      const { agreement, now } = seen;
      const limits = sessions.limits(agreementId, agreement.deadline);
      if (agreement.status !== "open" || agreement.deadline !== BigInt(deadline))
        sessions.endServing(agreementId, `the agreement is ${agreement.status} on chain`);
      else if (now >= servingEnds(agreement.deadline, limits.margin))
        sessions.endServing(agreementId, "the deadline is near");
      else if (isUsedUp({ ...limits, agreement })) sessions.endServing(agreementId, "the deposit is used up");
      else if (this.#idle.isLeft(agreementId, limits))
        sessions.endServing(agreementId, "its buyer asked for nothing for long");
      this.#retries.succeeded(agreementId);
    });
  }

  /** The block of `open` was undone, or this node is behind. */
  #absentWhileServed(agreementId: Hex): void {
    const times = (this.#absent.get(agreementId) ?? 0) + 1;
    this.#absent.set(agreementId, times);
    if (times < MOST_ABSENT) return;
    this.#absent.delete(agreementId);
    this.#options.sessions.endServing(agreementId, "the agreement is no longer on chain");
  }

  /**
   * Proves what has ended, the earliest deadline first, one at a time; sends each without waiting for the one before it
   * to be mined. Returns when all is on its way.
   */
  async settleEnded(): Promise<void> {
    // An agreement that ended while another was proven may be more urgent than the rest.
    while (!this.#isStopping && (await this.#proveMostUrgent()));
  }

  /** Begins no other agreement's proofs. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Waits until what was sent is mined. */
  async idle(): Promise<void> {
    await Promise.all(this.#sending.values());
  }

  /** Says which agreements nobody settles while only other adapters are served. */
  async tellNotServed(): Promise<void> {
    const { sessions, isServed, onEvent } = this.#options;
    const agreementIds: Hex[] = [];
    for (const agreementId of sessions.agreements.ids(["serving", "ended", "proving"]))
      await this.#guarded(agreementId, "reading the agreement", async () => {
        const record = sessions.agreements.get(agreementId);
        if (!isServed(record) && record.tokens > 0 && record.deadline > nowSeconds())
          agreementIds.push(agreementId);
      });
    if (agreementIds.length > 0) onEvent?.({ type: "not-settled-here", agreementIds });
  }

  /** @returns whether something was proven, which takes long */
  async #proveMostUrgent(): Promise<boolean> {
    const ended: Ended[] = [];
    await this.#each(["ended", "proving"], "settling", async (record) => {
      const { agreementId } = record;
      if (this.#sending.has(agreementId)) return;
      const seen = await this.#options.sessions.watch.look(agreementId);
      if (seen !== undefined) ended.push({ record, seen });
      // Its opening may come back: until it could no longer settle, it is looked for.
      else if (record.deadline < nowSeconds())
        this.#close(agreementId, "the agreement is no longer on chain");
      else throw notOnChain(agreementId);
    });
    // A close brings the deadline forward.
    ended.sort((a, b) => Number(a.seen.agreement.deadline - b.seen.agreement.deadline));
    let proven = 0;
    for (const { record, seen } of ended) {
      const { agreementId } = record;
      await this.#guarded(agreementId, "settling", async () => {
        if (await this.#mustWait(record, seen)) return;
        await this.#options.settlement.proveAgreement(agreementId, () => proven++);
        await this.#send(agreementId);
      });
      if (proven > 0) return true;
    }
    return false;
  }

  /** Sends a proven receipt; waits only while too many others are on their way. */
  async #send(agreementId: Hex): Promise<void> {
    const { settlement } = this.#options;
    if (this.#sending.size >= MAX_SENDING) await Promise.race(this.#sending.values());
    const sent = this.#guarded(agreementId, "settling", async () => {
      const { status } = await settlement.settleAgreement(agreementId);
      this.#retries.succeeded(agreementId);
      if (status === "settled") this.#forget(agreementId);
    }).finally(() => this.#sending.delete(agreementId));
    this.#sending.set(agreementId, sent);
  }

  /** Whether there is nothing to settle: not yet, or no more; then it is closed. */
  async #mustWait(record: AgreementRecord, seen: AgreementNow): Promise<boolean> {
    const { sessions, settlement } = this.#options;
    const { agreementId, receiptsStopped, tokens } = record;
    if (whyOver(seen.agreement, seen.now) !== undefined) {
      // The machine's clock and the newest block may be wrong; what is final is not.
      const { agreement, time } = await sessions.watch.final(agreementId);
      const reason = agreement && whyOver(agreement, time);
      // Settled by an earlier run or an operator: what is left is to see it final.
      if (await settlement.isSettled(agreementId)) return false;
      if (reason !== undefined) return this.#close(agreementId, reason);
      if (whyOver(seen.agreement, seen.chainTime) !== undefined) return true;
    }
    if (sessions.receipts.newest(agreementId) !== undefined) return this.#awaitsReceipt(record, seen);
    if (receiptsStopped || tokens === 0) return this.#close(agreementId, "there is no receipt to settle");
    // Tokens were served: a receipt may still come.
    return true;
  }

  /** Whether the buyer's last receipt may still come and there is time for it. */
  #awaitsReceipt(
    { agreementId, phase, receiptsStopped }: AgreementRecord,
    { agreement, now }: AgreementNow,
  ): boolean {
    const { sessions, receiptGrace } = this.#options;
    const { tokens, covered, margin } = sessions.limits(agreementId, agreement.deadline);
    if (phase !== "ended" || receiptsStopped || tokens === covered) return false;
    const since = this.#endsSeen.get(agreementId) ?? performance.now();
    this.#endsSeen.set(agreementId, since);
    const share = margin / 3n < receiptGrace ? margin / 3n : receiptGrace;
    const inTime = now < servingEnds(agreement.deadline, margin) + share;
    return inTime && performance.now() - since < 1000 * Number(receiptGrace);
  }

  #close(agreementId: Hex, reason: string): true {
    const { sessions, onEvent } = this.#options;
    if (sessions.agreements.move(agreementId, ["ended", "proving"], "closed", reason))
      onEvent?.({ type: "closed", agreementId, reason });
    this.#forget(agreementId);
    return true;
  }

  #forget(agreementId: Hex): void {
    this.#options.sessions.forget(agreementId);
    this.#idle.forget(agreementId);
    this.#endsSeen.delete(agreementId);
    this.#absent.delete(agreementId);
    this.#retries.succeeded(agreementId);
  }

  /** Runs `work` for each agreement of some phases that is not waiting to be tried again, some at a time. */
  async #each(
    phases: readonly AgreementRecord["phase"][],
    doing: string,
    work: (record: AgreementRecord) => Promise<void>,
  ): Promise<void> {
    const { sessions, isServed } = this.#options;
    const due = sessions.agreements.ids(phases).filter((agreementId) => this.#retries.isDue(agreementId));
    const left = due.values();
    const lookAtTheRest = async (): Promise<void> => {
      for (const agreementId of left)
        await this.#guarded(agreementId, doing, async () => {
          const record = sessions.agreements.get(agreementId);
          if (isServed(record)) await work(record);
        });
    };
    await Promise.all(Array.from({ length: MAX_LOOKING }, lookAtTheRest));
  }

  /** A failure is told and tried again later; it never keeps other agreements from their turn. */
  async #guarded(agreementId: Hex, doing: string, work: () => Promise<void>): Promise<void> {
    const { onEvent } = this.#options;
    try {
      await work();
    } catch (error) {
      this.#retries.failed(agreementId);
      onEvent?.({ type: "failed", agreementId, doing, error: asDeltapayError(error) });
    }
  }
}

/** Why no receipt settles any more at a time, if so. */
function whyOver({ status, deadline }: AgreementView, time: bigint): string | undefined {
  if (status === "refunded" || status === "released") return `the agreement was ${status}`;
  return time > deadline ? "the deadline passed before settlement" : undefined;
}
