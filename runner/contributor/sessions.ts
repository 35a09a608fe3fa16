/**
 * The contributor's half of a session (protocol 5), without HTTP: what is asked, whether it is answered, what is stored
 * before it is. The methods of one agreement run one at a time; `holds` sees to that.
 */
import type { Hex } from "../protocol/bytes.ts";
import { equalBytes, fromHex, toHex } from "../protocol/bytes.ts";
import type { KeyPoints } from "../protocol/commitment.ts";
import { decodeAnswers, encodeActivations, encodeAnswers } from "../protocol/encoding.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { addPass, initialState, type Pass, type SessionState } from "../protocol/fold.ts";
import { answerBound } from "../protocol/layout.ts";
import { answer } from "../protocol/quantise.ts";
import { decodeState, encodeState } from "../protocol/sessionState.ts";
import { checkSignature, type Domain, type Receipt, type SessionProof } from "../protocol/typedData.ts";
import { transaction } from "../storage/database.ts";
import { keepPass } from "../storage/transcript.ts";
import type { ProofBundle, SessionView } from "../wire/messages.ts";
import { decodePassRequest, type PassRequest } from "../wire/passRequest.ts";
import { LIMITS } from "../wire/paths.ts";
import type { ServedAdapter } from "./adapters.ts";
import { admitPass } from "./admission.ts";
import { AgreementParties } from "./agreementParties.ts";
import { AgreementWatch } from "./agreementWatch.ts";
import type { Authentication } from "./authentication.ts";
import { readBundle } from "./bundle.ts";
import type { AgreementView, ContributorChain } from "./chainView.ts";
import type { ContributorData } from "./dataFolder.ts";
import type { OnEvent } from "./events.ts";
import { Holds } from "./holds.ts";
import type { Queue } from "./margin.ts";
import { findOffer, type StoredOffer } from "./offers.ts";
import { checkReceipt } from "./receiptCheck.ts";
import { type AgreementRecord, AgreementStore, LATEST_DEADLINE } from "./store/agreements.ts";
import { PassStore, type StoredPass } from "./store/passes.ts";
import { ProofStore } from "./store/proofs.ts";
import { ReceiptStore } from "./store/receipts.ts";

/** An adapter with the key its statements are computed over. */
export interface SessionAdapter extends ServedAdapter {
  key: KeyPoints;
}

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

/** What is kept in memory of an agreement under way. */
interface Live {
  adapter: SessionAdapter;
  offer: StoredOffer;
  state: SessionState;
  /** The newest pass, finished or not. */
  pass: StoredPass | undefined;
  /** What the newest receipt covers. */
  covered: { passes: number; tokens: number };
}

function notOurOffer(): DeltapayError {
  return new DeltapayError("session/not-our-offer", "this agreement was not opened on an offer served here", {
    field: "agreementId",
  });
}

export class Sessions {
  readonly holds = new Holds();
  readonly watch: AgreementWatch;
  readonly agreements: AgreementStore;
  readonly receipts: ReceiptStore;
  readonly proofs: ProofStore;
  readonly #parties: AgreementParties;
  readonly #passes: PassStore;
  readonly #options: SessionsOptions;
  readonly #domain: Domain;
  readonly #live = new Map<Hex, Live>();

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#domain = { chainId: options.chain.chainId, escrow: options.chain.escrow };
    this.#parties = new AgreementParties(options.chain);
    this.watch = new AgreementWatch(options.chain, options.maxAgeMs);
    this.agreements = new AgreementStore(options.data.database);
    this.receipts = new ReceiptStore(options.data.database);
    this.proofs = new ProofStore(options.data.database);
    this.#passes = new PassStore(options.data.database);
  }

  /**
   * Opens a session for whoever holds the agreement's signer key. Nothing on disk is looked at before that is shown.
   * An agreement seen for the first time must be open in a final block, on an offer of ours.
   * @throws DeltapayError `session/...-nonce`, `session/unknown-agreement`, `session/not-open`, `session/not-our-offer`,
   * `session/deadline-too-far`, `signature/...`
   */
  async open(
    proof: SessionProof,
    signature: Hex,
  ): Promise<{ token: string; expiresAt: number; session: SessionView }> {
    const { adapters, authentication, chain } = this.#options;
    authentication.checkNonce(proof);
    const party = await this.#parties.find(proof.agreementId);
    if (party === undefined) throw this.#unknownAgreement(proof.agreementId);
    await checkSignature(this.#domain, "Session", proof, signature, party.signer);
    if (!adapters.has(party.adapterId)) throw notOurOffer();
    // How it was opened takes a search of the chain: for its own signer only.
    if (this.agreements.find(proof.agreementId) === undefined) {
      const agreement = await chain.readAgreement(proof.agreementId, "final");
      if (agreement === undefined) throw this.#unknownAgreement(proof.agreementId);
      if (this.agreements.find(proof.agreementId) === undefined) this.#accept(proof.agreementId, agreement);
    }
    const { token, expiresAt } = authentication.open(proof);
    const session = this.view(proof.agreementId);
    const { passes, tokens } = session;
    this.#options.onEvent?.({ type: "session-opened", agreementId: proof.agreementId, passes, tokens });
    return { token, expiresAt, session };
  }

  #unknownAgreement(agreementId: Hex): DeltapayError {
    const { chainId } = this.#options.chain;
    return new DeltapayError(
      "session/unknown-agreement",
      `no agreement ${agreementId} is final on chain ${chainId}`,
      { field: "agreementId", hint: "wait until the block of `open` is final" },
    );
  }

  /** Takes an agreement up. */
  #accept(agreementId: Hex, agreement: AgreementView): void {
    const adapter = this.#options.adapters.get(agreement.adapterId);
    const offer = findOffer(this.#options.data, agreement.offerHash);
    if (adapter === undefined || offer?.offer.adapterId !== agreement.adapterId) throw notOurOffer();
    if (agreement.status !== "open")
      throw new DeltapayError("session/not-open", `the agreement is ${agreement.status}`, {
        field: "agreementId",
      });
    if (agreement.deadline > LATEST_DEADLINE)
      throw new DeltapayError("session/deadline-too-far", "the agreement's deadline is too far away", {
        field: "deadline",
        hint: "close this agreement and open one that ends sooner",
      });
    const state = initialState(adapter.layout, fromHex(agreementId, 32));
    this.agreements.add(
      { agreementId, ...agreement, deadline: Number(agreement.deadline) },
      encodeState(state),
    );
  }

  /** The session as the buyer may see it. */
  view(agreementId: Hex): SessionView {
    const { phase, settlement } = this.agreements.get(agreementId);
    const { adapter, state, pass, covered } = this.#load(agreementId);
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
    return this.#load(agreementId).adapter.scales;
  }

  /** @throws DeltapayError `session/no-receipt`, `session/not-proven` */
  bundle(agreementId: Hex): ProofBundle {
    const record = this.agreements.get(agreementId);
    return readBundle(this.#domain, this.#load(agreementId).adapter, record, this.receipts, this.proofs);
  }

  /** Most bytes an activations request of this agreement can have. */
  requestLimit(agreementId: Hex): number {
    const { adapter, offer } = this.#load(agreementId);
    const { maxUnpaidTokens, tokenCap } = offer.offer;
    const tokens = Number(maxUnpaidTokens < tokenCap ? maxUnpaidTokens : tokenCap);
    const { modules } = adapter.layout;
    const needed = 40 + 4 * modules.length + 2 * tokens * Math.max(...modules.map(({ dIn }) => dIn));
    // Small requests are read even when too large to be served: the answer then says why.
    return Math.min(LIMITS.activationsBytes, Math.max(needed, 2 ** 20));
  }

  /**
   * Answers some modules of a pass; Y is durable before it is returned.
   * @returns Y of each module asked, in order
   * @throws DeltapayError `session/wrong-pass`, `session/changed-repeat`, `session/changed-tokens`, `session/salt-reused`,
   * `session/ended`, those of `admitPass`, `wire/bad-request`, `encoding/...`
   */
  async answerPass(agreementId: Hex, number: number, body: Uint8Array): Promise<Uint8Array> {
    const live = this.#load(agreementId);
    const started = this.#passNumbered(live, number);
    if (started === undefined) this.#requireServing(agreementId);
    const request = decodePassRequest(live.adapter.layout, body);
    const missing = started === undefined ? request.modules : this.#missing(started, request);
    if (started === undefined) await this.#admit(agreementId, live, request);
    if (missing.length > 0) this.#answer(agreementId, live, number, request, missing);
    return Buffer.concat(request.modules.map((m) => live.pass!.answers.get(m)!.Y));
  }

  /** The pass under way or just finished if that is the one asked for; undefined if it is the next. */
  #passNumbered({ state, pass }: Live, number: number): StoredPass | undefined {
    if (pass?.pass === number) return pass;
    const isOpen = pass !== undefined && pass.pass > state.passes;
    const next = isOpen ? pass.pass : state.passes + 1;
    if (number !== next)
      throw new DeltapayError("session/wrong-pass", `pass ${number} was asked for, pass ${next} is due`, {
        field: "pass",
        hint: isOpen
          ? "a pass is finished before the next begins"
          : "passes are numbered from 1, without gaps",
      });
    return undefined;
  }

  /** Modules of a repeated or continued request that have no answer yet; everything else must be as it was. */
  #missing(started: StoredPass, request: PassRequest): number[] {
    const refuse = (what: string, message: string, field: string): never => {
      throw new DeltapayError(`session/${what}`, message, {
        field,
        hint: "a pass goes on exactly as it began; a repeat has the same bytes",
      });
    };
    if (!equalBytes(started.passSalt, request.passSalt))
      refuse("changed-repeat", "the pass began with another salt", "passSalt");
    if (started.tokens !== request.tokens)
      refuse(
        "changed-tokens",
        `the pass began with ${started.tokens} tokens, not ${request.tokens}`,
        "tokens",
      );
    return request.modules.filter((m) => {
      const answered = started.answers.get(m);
      if (answered?.X.some((x, i) => x !== request.X[i]))
        refuse("changed-repeat", `module ${m} was answered for other activations`, "X");
      return answered === undefined;
    });
  }

  #requireServing(agreementId: Hex): AgreementRecord {
    const record = this.agreements.get(agreementId);
    if (record.phase !== "serving")
      throw new DeltapayError("session/ended", `this agreement is no longer served: ${record.reason}`, {
        hint: "open a new agreement",
      });
    return record;
  }

  async #admit(agreementId: Hex, live: Live, request: PassRequest): Promise<void> {
    const { agreement, now } = await this.watch.newest(agreementId);
    const record = this.#requireServing(agreementId);
    const { closeWindow } = live.offer.offer;
    admitPass({
      offer: live.offer.offer,
      agreement,
      openedDeadline: BigInt(record.deadline),
      tokens: BigInt(live.state.tokens),
      covered: BigInt(live.covered.tokens),
      passTokens: BigInt(request.tokens),
      now,
      margin: this.#margin(agreementId, live.adapter, agreement.deadline),
      closeMargin: this.#margin(agreementId, live.adapter, now + closeWindow) + this.#maxAge,
    });
    if (this.#passes.saltUsed(agreementId, request.passSalt))
      throw new DeltapayError("session/salt-reused", "an earlier pass of this agreement had the same salt", {
        field: "passSalt",
        hint: "every pass takes 32 fresh random bytes",
      });
  }

  /** Computes, stores, and with the last module of the pass folds it; memory follows the disk. */
  #answer(agreementId: Hex, live: Live, number: number, request: PassRequest, missing: number[]): void {
    const { layout, weights } = live.adapter;
    const { X, tokens, passSalt } = request;
    const fresh = new Map(
      missing.map((m) => {
        const { dIn, dOut, r } = layout.modules[m]!;
        const { Aq, Bq } = weights[m]!;
        return [m, encodeAnswers(answer(Aq, Bq, X, tokens, dIn, dOut, r))];
      }),
    );
    const begins = live.pass?.pass !== number;
    const pass: StoredPass = begins
      ? { pass: number, passSalt, tokens, answers: new Map() }
      : { ...live.pass!, answers: new Map(live.pass!.answers) };
    for (const [m, Y] of fresh) pass.answers.set(m, { X, Y });
    const state =
      pass.answers.size === layout.modules.length ? this.#fold(agreementId, live, pass) : live.state;
    transaction(this.#options.data.database, () => {
      this.#requireServing(agreementId);
      if (begins) this.#passes.begin(agreementId, number, passSalt, tokens);
      this.#passes.addAnswers(agreementId, number, encodeActivations(X), fresh);
      if (state !== live.state)
        this.agreements.writeState(agreementId, state.passes, state.tokens, encodeState(state));
    });
    const finished = state !== live.state;
    live.pass = pass;
    live.state = state;
    if (finished)
      this.#options.onEvent?.({
        type: "pass",
        agreementId,
        pass: number,
        tokens,
        totalTokens: state.tokens,
        unpaidTokens: state.tokens - live.covered.tokens,
      });
  }

  #fold(agreementId: Hex, live: Live, { pass, passSalt, tokens, answers }: StoredPass): SessionState {
    const { layout } = live.adapter;
    const complete: Pass = {
      passSalt,
      tokens,
      X: layout.modules.map((_, m) => answers.get(m)!.X),
      Y: layout.modules.map((module, m) =>
        decodeAnswers(answers.get(m)!.Y, tokens * module.dOut, answerBound(module)),
      ),
    };
    if (this.#options.keepTranscript === true)
      keepPass(this.#options.data.transcriptDirectory(agreementId), pass, complete);
    return addPass(layout, live.state, complete);
  }

  /**
   * Checks and stores a receipt; it is durable when this returns. A wrong one ends the agreement: what came before it is
   * settled. One that came before is accepted again.
   * @throws DeltapayError `receipt/...`, `signature/...`, `session/ended`, `session/wrong-answer`
   */
  async acceptReceipt(agreementId: Hex, receipt: Receipt, signature: Hex): Promise<SessionView> {
    const live = this.#load(agreementId);
    if (isSame(this.receipts.newest(agreementId)?.receipt, receipt)) return this.view(agreementId);
    this.#requireReceipts(agreementId);
    this.#refuseOutdated(agreementId, live, receipt);
    const { state } = live;
    const started = performance.now();
    let statements: Uint8Array[];
    try {
      const record = this.agreements.get(agreementId);
      statements = await checkReceipt(
        this.#domain,
        live.adapter.key,
        live.adapter,
        record,
        state,
        receipt,
        signature,
      );
    } catch (error) {
      if (error instanceof DeltapayError && /^(receipt|signature)\//.test(error.code))
        this.#refuseWrong(agreementId, receipt, signature, error);
      if (error instanceof DeltapayError && error.code === "session/wrong-answer")
        this.#stopAtWrongAnswer(agreementId, error);
      throw error;
    }
    transaction(this.#options.data.database, () => {
      this.#requireReceipts(agreementId);
      this.receipts.add({ receipt, signature, statements }, encodeState(state));
    });
    live.covered = { passes: state.passes, tokens: state.tokens };
    const computeMs = performance.now() - started;
    this.#options.onEvent?.({ type: "receipt", agreementId, ...live.covered, computeMs });
    return this.view(agreementId);
  }

  /** Receipts are taken until proving begins, but not after a wrong one. */
  #requireReceipts(agreementId: Hex): void {
    const { phase, reason, receiptsStopped } = this.agreements.get(agreementId);
    if (receiptsStopped || (phase !== "serving" && phase !== "ended"))
      throw new DeltapayError("session/ended", `no more receipts are taken: ${reason}`, {
        hint: "open a new agreement",
      });
  }

  /** A receipt for fewer passes than were served is late rather than wrong: it is not taken, and nothing ends. */
  #refuseOutdated(agreementId: Hex, { state }: Live, receipt: Receipt): void {
    if (receipt.agreementId !== agreementId || receipt.passes >= BigInt(state.passes) || receipt.passes < 1n)
      return;
    const earlier = this.receipts.find(agreementId, receipt.passes);
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
      this.receipts.refuse(agreementId, code, receipt, signature),
    );
  }

  /** The fault is here: what came before it is settled, nothing after it can be. */
  #stopAtWrongAnswer(agreementId: Hex, error: DeltapayError): void {
    this.#options.onEvent?.({ type: "failed", agreementId, doing: "checking a receipt", error });
    this.#stopForGood(agreementId, "a wrong answer was given here");
  }

  /** No pass and no receipt from here on, in one step with `record`: a crash leaves none of it or all. */
  #stopForGood(agreementId: Hex, reason: string, record: () => void = () => {}): void {
    const moved = transaction(this.#options.data.database, () => {
      record();
      this.agreements.stopReceipts(agreementId);
      return this.agreements.move(agreementId, ["serving"], "ended", reason);
    });
    if (moved) this.#options.onEvent?.({ type: "ended", agreementId, reason });
  }

  /** The buyer is done. Doing it twice changes nothing. */
  end(agreementId: Hex): SessionView {
    this.endServing(agreementId, "the buyer ended the session");
    return this.view(agreementId);
  }

  /** Stops serving an agreement; what a receipt covers can be proven and settled. */
  endServing(agreementId: Hex, reason: string): void {
    if (this.agreements.move(agreementId, ["serving"], "ended", reason))
      this.#options.onEvent?.({ type: "ended", agreementId, reason });
  }

  /** Seconds to settle an agreement due at `by`, after those that are settled before it. */
  #margin(agreementId: Hex, adapter: SessionAdapter, by: bigint): bigint {
    const before = this.agreements
      .adaptersDueBefore(agreementId, by)
      .map((adapterId) => this.#options.adapters.get(adapterId))
      .filter((other) => other !== undefined);
    const groups = before.reduce((sum, { layout }) => sum + layout.groups, 0);
    return this.#options.margin(adapter, { agreements: before.length, groups });
  }

  /** Seconds the chain's word may be old. */
  get #maxAge(): bigint {
    return BigInt(Math.ceil(this.#options.maxAgeMs / 1000));
  }

  /** What bounds an agreement, and how much of it is used, when it settles until `deadline`. */
  limits(
    agreementId: Hex,
    deadline: bigint,
  ): { offer: StoredOffer["offer"]; tokens: bigint; covered: bigint; margin: bigint } {
    const { adapter, offer, state, covered } = this.#load(agreementId);
    return {
      offer: offer.offer,
      tokens: BigInt(state.tokens),
      covered: BigInt(covered.tokens),
      margin: this.#margin(agreementId, adapter, deadline),
    };
  }

  /** Drops what is in memory of an agreement that is over. */
  forget(agreementId: Hex): void {
    this.#live.delete(agreementId);
    this.watch.forget(agreementId);
  }

  #load(agreementId: Hex): Live {
    const known = this.#live.get(agreementId);
    if (known !== undefined) return known;
    const record = this.agreements.get(agreementId);
    const adapter = this.#options.adapters.get(record.adapterId);
    const offer = findOffer(this.#options.data, record.offerHash);
    if (adapter === undefined || offer === undefined)
      throw new DeltapayError("session/not-our-offer", "the adapter of this agreement is not served now", {
        field: "agreementId",
      });
    const newest = this.receipts.newest(agreementId)?.receipt;
    const live: Live = {
      adapter,
      offer,
      state: decodeState(adapter.layout, this.agreements.readState(agreementId)),
      pass: this.#passes.newest(agreementId),
      covered: { passes: Number(newest?.passes ?? 0n), tokens: Number(newest?.tokens ?? 0n) },
    };
    this.#live.set(agreementId, live);
    return live;
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
