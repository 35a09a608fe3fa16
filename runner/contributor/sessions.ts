/**
 * The contributor's half of a session (protocol 5), without HTTP: what is asked, whether it is answered, what is stored
 * before it is. The methods of one agreement run one at a time; `holds` sees to that.
 */
import { type Hex, toHex } from "../protocol/bytes.ts";
import type { Domain, Receipt, SessionProof } from "../protocol/typedData.ts";
import type { LeakageView, ProofBundle, SessionView } from "../wire/messages.ts";
import { LIMITS } from "../wire/paths.ts";
import type { ServedAdapter } from "./adapters.ts";
import { AgreementWatch } from "./agreementWatch.ts";
import type { Authentication } from "./authentication.ts";
import { readBundle } from "./bundle.ts";
import type { ContributorChain } from "./chainView.ts";
import type { ContributorData } from "./dataFolder.ts";
import type { OnEvent } from "./events.ts";
import { Holds } from "./holds.ts";
import { LeakageMeter } from "./leakage/meter.ts";
import { leakageView } from "./leakage/report.ts";
import type { Queue } from "./margin.ts";
import type { StoredOffer } from "./offers.ts";
import { ReceiptsTaken } from "./session/acceptReceipts.ts";
import { PassAnswers } from "./session/answerPasses.ts";
import { LiveSessions, type SessionAdapter } from "./session/liveSessions.ts";
import { SessionOpening } from "./session/openSession.ts";
import { SettlingTime } from "./session/settlingTime.ts";
import type { AgreementStore } from "./store/agreements.ts";
import { ProofStore } from "./store/proofs.ts";
import type { ReceiptStore } from "./store/receipts.ts";

export interface SessionsOptions {
  data: ContributorData;
  chain: ContributorChain;
  /** By adapter id, lower case. */
  adapters: ReadonlyMap<Hex, SessionAdapter>;
  authentication: Authentication;
  /** Seconds to prove and settle an adapter's receipt after a queue: nothing is served that close to the deadline. */
  margin: (adapter: ServedAdapter, queue: Queue) => bigint;
  onEvent?: OnEvent;
  /** Keep every pass on disk, for audits. */
  keepTranscript?: boolean;
  /** How old the chain's word on an agreement may be. */
  maxAgeMs: number;
}

export class Sessions {
  readonly holds = new Holds();
  readonly watch: AgreementWatch;
  readonly agreements: AgreementStore;
  readonly receipts: ReceiptStore;
  readonly proofs: ProofStore;
  readonly leakage: LeakageMeter;
  readonly #options: SessionsOptions;
  readonly #domain: Domain;
  readonly #live: LiveSessions;
  readonly #settlingTime: SettlingTime;
  readonly #opening: SessionOpening;
  readonly #answers: PassAnswers;
  readonly #receiptsTaken: ReceiptsTaken;

  constructor(options: SessionsOptions) {
    const { chain, data } = options;
    this.#options = options;
    this.#domain = { chainId: chain.chainId, escrow: chain.escrow };
    this.watch = new AgreementWatch(chain, options.maxAgeMs);
    this.proofs = new ProofStore(data.database);
    this.leakage = new LeakageMeter(options);
    const live = new LiveSessions(options);
    const { agreements, receipts } = live;
    const settlingTime = new SettlingTime({ ...options, agreements });
    this.agreements = agreements;
    this.receipts = receipts;
    this.#live = live;
    this.#settlingTime = settlingTime;
    this.#opening = new SessionOpening({ ...options, agreements });
    this.#answers = new PassAnswers({
      ...options,
      live,
      watch: this.watch,
      leakage: this.leakage,
      settlingTime,
    });
    this.#receiptsTaken = new ReceiptsTaken({ ...options, domain: this.#domain, live });
  }

  /** Opens a session. @throws DeltapayError as `SessionOpening.open` */
  async open(
    proof: SessionProof,
    signature: Hex,
  ): Promise<{ token: string; expiresAt: number; session: SessionView }> {
    const { token, expiresAt } = await this.#opening.open(proof, signature);
    const session = this.view(proof.agreementId);
    const { agreementId, passes, tokens } = session;
    this.#options.onEvent?.({ type: "session-opened", agreementId, passes, tokens });
    return { token, expiresAt, session };
  }

  /** The session as the buyer may see it. */
  view(agreementId: Hex): SessionView {
    const { phase, settlement } = this.agreements.get(agreementId);
    const { adapter, state, pass, covered } = this.#live.get(agreementId);
    const isOpen = pass !== undefined && pass.pass > state.passes;
    return {
      agreementId,
      passes: state.passes,
      tokens: state.tokens,
      head: toHex(state.head),
      receipt: { ...covered },
      openPass: isOpen
        ? {
            pass: pass.pass,
            tokens: pass.tokens,
            modules: adapter.layout.modules.flatMap((_, m) => (pass.answers.has(m) ? [m] : [])),
          }
        : null,
      phase,
      settlement,
    };
  }

  /** scaleSalt and b of every module. */
  scales(agreementId: Hex): Uint8Array {
    return this.#live.get(agreementId).adapter.scales;
  }

  /** @throws DeltapayError `session/no-receipt`, `session/not-proven` */
  bundle(agreementId: Hex): ProofBundle {
    const record = this.agreements.get(agreementId);
    const { adapter } = this.#live.get(agreementId);
    return readBundle(this.#domain, adapter, record, this.receipts, this.proofs);
  }

  /** What the answers to this agreement's buyer, in all its agreements, give away. */
  leakageView(agreementId: Hex): LeakageView {
    const { adapter } = this.#live.get(agreementId);
    return leakageView(this.#options.data.database, this.agreements.get(agreementId), adapter.layout);
  }

  /** Most bytes an activations request of this agreement can have. */
  requestLimit(agreementId: Hex): number {
    const { adapter, offer } = this.#live.get(agreementId);
    const { maxUnpaidTokens, tokenCap } = offer.offer;
    const tokens = Number(maxUnpaidTokens < tokenCap ? maxUnpaidTokens : tokenCap);
    const { modules } = adapter.layout;
    const needed = 40 + 4 * modules.length + 2 * tokens * Math.max(...modules.map(({ dIn }) => dIn));
    // Small requests are read even when too large to be served: the answer then says why.
    return Math.min(LIMITS.activationsBytes, Math.max(needed, 2 ** 20));
  }

  /** Y of each module asked, in order, durable before it is returned. @throws DeltapayError as `PassAnswers.answer` */
  answerPass(agreementId: Hex, number: number, body: Uint8Array): Promise<Uint8Array> {
    return this.#answers.answer(agreementId, number, body);
  }

  /** Checks and stores a receipt; it is durable when this returns. @throws DeltapayError as `ReceiptsTaken.accept` */
  async acceptReceipt(agreementId: Hex, receipt: Receipt, signature: Hex): Promise<SessionView> {
    await this.#receiptsTaken.accept(agreementId, receipt, signature);
    return this.view(agreementId);
  }

  /** The buyer is done. Doing it twice changes nothing. */
  end(agreementId: Hex): SessionView {
    this.endServing(agreementId, "the buyer ended the session");
    return this.view(agreementId);
  }

  /** Stops serving an agreement; what a receipt covers can be proven and settled. */
  endServing(agreementId: Hex, reason: string): void {
    this.#live.endServing(agreementId, reason);
  }

  /** What bounds an agreement, and how much of it is used, when it settles until `deadline`. */
  limits(
    agreementId: Hex,
    deadline: bigint,
  ): { offer: StoredOffer["offer"]; tokens: bigint; covered: bigint; answered: number; margin: bigint } {
    const { adapter, offer, tokens, covered } = this.#live.usage(agreementId);
    const answered = this.#live.passes.answered(agreementId);
    const margin = this.#settlingTime.margin(agreementId, adapter, deadline);
    return { offer: offer.offer, tokens, covered, answered, margin };
  }

  /** Drops what is in memory of an agreement that is over. */
  forget(agreementId: Hex): void {
    this.#live.forget(agreementId);
    this.watch.forget(agreementId);
  }
}
