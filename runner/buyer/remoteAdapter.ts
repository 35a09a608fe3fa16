/**
 * One agreement with one contributor, in use: passes, answers, receipts (protocol 5).
 *
 * Whatever leaves this machine is on disk first: activations and salt before a request, a receipt before it is sent. So a
 * repeat after a crash carries the same bytes and gets the same answer.
 */
import * as path from "node:path";
import type { LocalAccount } from "viem/accounts";
import { fromHex, type Hex } from "../protocol/bytes.ts";
import type { Curve } from "../protocol/curve.ts";
import { ensure } from "../protocol/errors.ts";
import { addPass, initialState, type SessionState } from "../protocol/fold.ts";
import type { AdapterLayout } from "../protocol/layout.ts";
import { encodeOpening, openingOf } from "../protocol/openingFile.ts";
import { decodeState, encodeState } from "../protocol/sessionState.ts";
import type { Domain } from "../protocol/typedData.ts";
import { keepPass } from "../storage/transcript.ts";
import type { ProofBundle, SessionView } from "../wire/messages.ts";
import { decodePassAnswer } from "../wire/passRequest.ts";
import { checkBudget, longestPass, tokensLeft } from "./budget.ts";
import { unixNow } from "./clock.ts";
import { compareMemories } from "./compareMemories.ts";
import type { ContributorClient } from "./contributorClient.ts";
import { type Leakage, leakageOf, mostExposedModule, RankTracker } from "./leakage.ts";
import { PassUnderWay } from "./passUnderWay.ts";
import { currentReceipt, type StatementSource } from "./receipts.ts";
import { checkScales, scalesBytes } from "./scales.ts";
import { Session } from "./session.ts";
import type { BuyerStore } from "./store.ts";
import type { AgreementTerms, StoredReceipt } from "./storedRows.ts";
import type { VerifiedAdapter } from "./verifyAdapter.ts";

export interface RemoteAdapterOptions {
  curve: Curve;
  /** Verified with `verifyAdapter`. */
  adapter: StatementSource & Pick<VerifiedAdapter, "adapterId" | "entry" | "manifest">;
  terms: AgreementTerms;
  client: ContributorClient;
  store: BuyerStore;
  /** The agreement's signer (`loadSigner`). */
  signer: LocalAccount;
  /** Unix seconds by which the chain judges deadlines (`BuyerChain.time`). Default: this machine's clock. */
  time?: () => Promise<bigint>;
  /** Folder for salt, X and Y of every pass, for audits; large. Default: not kept. */
  transcriptFolder?: string;
  /** Hears of each receipt the contributor accepted. */
  onReceipt?: (receipt: { passes: number; tokens: number; computeMs: number }) => void;
}

export class RemoteAdapter {
  readonly layout: AdapterLayout;
  readonly terms: AgreementTerms;
  readonly #options: RemoteAdapterOptions;
  readonly #session: Session;
  readonly #rankModule: number;
  readonly #rank: RankTracker;
  readonly #pass: PassUnderWay;
  #state: SessionState;
  #scales: Float64Array[] | undefined;
  /** The session as the contributor last told it. */
  #view: SessionView | undefined;
  /** The chain's time at the last connection, and when that was by a clock that nobody sets. */
  #clock: { time: bigint; at: number } | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  /** @throws DeltapayError `agreement/other-adapter`, `agreement/other-signer`, `session/bad-state` */
  constructor(options: RemoteAdapterOptions) {
    const { adapter, terms, store, signer } = options;
    const id = terms.agreementId;
    checkBelongTogether(options);
    this.layout = adapter.layout;
    this.terms = terms;
    this.#options = options;
    this.#session = new Session(options.client, this.#domain, id, signer);
    const stored = store.sessionState(id);
    this.#state =
      stored === undefined ? initialState(this.layout, fromHex(id, 32)) : decodeState(this.layout, stored);
    this.#rankModule = mostExposedModule(this.layout);
    this.#rank = new RankTracker(this.layout.modules[this.#rankModule]!.dIn, store.rankRows(id));
    this.#pass = new PassUnderWay(this.layout, store, id);
  }

  get agreementId(): Hex {
    return this.terms.agreementId;
  }

  /** Finished passes, their tokens, and the tokens that may still be asked. */
  get progress(): { passes: number; tokens: number; tokensLeft: number } {
    const { passes, tokens } = this.#state;
    return { passes, tokens, tokensLeft: tokensLeft(this.terms, tokens) };
  }

  /** Most tokens one pass may have. */
  get longestPass(): number {
    return longestPass(this.terms);
  }

  /** What the tokens bought so far give away of the adapter. */
  get leakage(): Leakage {
    return leakageOf(this.layout, this.#state.tokens, this.#rank.rank);
  }

  /**
   * Output scales of a module, known once connected.
   * @throws DeltapayError `session/not-connected`
   */
  scales(module: number): Float64Array {
    ensure(this.#scales !== undefined, "session/not-connected", "the scales come with the first connection", {
      field: "scales",
    });
    return this.#scales[module]!;
  }

  /** A pass begun, at least one module of which was asked or was about to be, and not finished. */
  pendingPass(): PassUnderWay["pending"] {
    return this.#pass.pending;
  }

  /**
   * Opens a session, compares what both sides remember, resends a receipt that did not arrive and loads the scales.
   * @throws DeltapayError `session/contributor-behind`, `session/buyer-behind`, `session/heads-differ`, `scales/...`, `http/...`
   */
  connect(): Promise<SessionView> {
    return this.#inTurn(() => this.#connect());
  }

  /**
   * Begins a pass of `tokens` tokens, signing a receipt first where the offer asks for one. A pass that was interrupted goes
   * on with its own salt, and must then see the same tokens.
   * @throws DeltapayError `session/pass-pending`, `session/ended`, `session/deadline`, `budget/...`
   */
  beginPass(tokens: number): Promise<void> {
    return this.#inTurn(() => this.#beginPass(tokens));
  }

  /**
   * Asks for the answers of modules that read the same activations.
   * @param modules manifest indices, ascending
   * @param X tokens x dIn, quantised; on disk before it is sent
   * @returns Y per module, tokens x dOut, each an integer with |y| <= Y_MAX
   * @throws DeltapayError `session/no-pass`, `session/other-activations`, `session/bad-pass`, `wire/bad-answer`, `encoding/...`
   */
  answer(modules: readonly number[], X: Int16Array): Promise<Float64Array[]> {
    return this.#inTurn(() => this.#answer(modules, X));
  }

  /**
   * Folds the finished pass into the session's state, durably.
   * @throws DeltapayError `session/bad-pass` while modules are unanswered, `session/other-process`
   */
  finishPass(): Promise<void> {
    return this.#inTurn(async () => this.#finishPass());
  }

  /**
   * Finishes a pass whose run was interrupted: stored activations are resent, modules not yet asked get zeros. Its tokens
   * are paid and lost; the agreement goes on.
   * @returns tokens of the pass; 0 when none was pending
   */
  finishInterrupted(): Promise<number> {
    return this.#inTurn(() => this.#finishInterrupted());
  }

  /**
   * Signs a receipt for all finished passes and sends it; the one already signed for as many passes is sent again.
   * @throws DeltapayError `receipt/nothing`, `receipt/conflict`, and the contributor's refusal
   */
  signReceipt(): Promise<StoredReceipt> {
    return this.#inTurn(() => this.#sendReceipt());
  }

  /**
   * Sends the last receipt and tells the contributor that the buyer is done: it may prove and settle.
   * @param options.abandonPass leave an interrupted pass unfinished: nothing more can be asked, nothing of it is paid
   * @throws DeltapayError `session/pass-pending`, as `signReceipt`
   */
  end(options: { abandonPass?: boolean } = {}): Promise<SessionView> {
    return this.#inTurn(() => this.#end(options.abandonPass ?? false));
  }

  /** The session as the contributor sees it now. */
  status(): Promise<SessionView> {
    return this.#inTurn(() => this.#session.call((token) => this.#options.client.session(token)));
  }

  /** The proof bundle, once the contributor has made it. */
  bundle(): Promise<ProofBundle> {
    return this.#inTurn(() => this.#session.call((token) => this.#options.client.bundle(token)));
  }

  /**
   * The opening file of the last receipt, for an auditor. Secret to the two parties.
   * @throws DeltapayError `receipt/nothing`
   */
  openingFile(): Uint8Array {
    const last = this.#options.store.lastReceipt(this.agreementId);
    ensure(last?.state != null, "receipt/nothing", "no receipt was signed yet", { field: "receipt" });
    const state = decodeState(this.layout, last.state);
    return encodeOpening(openingOf(this.agreementId, this.terms.manifestHash, this.layout.groups, state));
  }

  get #domain(): Domain {
    return { chainId: this.terms.chainId, escrow: this.terms.escrow };
  }

  /** One request at a time, in the order asked (protocol 5). */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #connect(): Promise<SessionView> {
    // Until every check has passed nothing goes on, also when the caller tries again.
    this.#view = undefined;
    const view = await this.#session.connect();
    if (compareMemories(view, this.#state, this.#pass.pending?.number) === "never-seen") this.#pass.drop();
    if (this.#scales === undefined) await this.#loadScales();
    this.#clock = { time: (await this.#options.time?.()) ?? unixNow(), at: performance.now() };
    this.#view = view;
    const last = this.#options.store.lastReceipt(this.agreementId);
    const current = BigInt(this.#state.passes);
    const missing = last?.receipt.passes === current && BigInt(view.receipt.passes) < current;
    if (missing && view.passes === this.#state.passes) await this.#sendReceipt();
    return this.#view;
  }

  /** Unix seconds, counted on from the last connection. */
  #now(): bigint {
    const { time, at } = this.#clock!;
    return time + BigInt(Math.floor((performance.now() - at) / 1000));
  }

  async #loadScales(): Promise<void> {
    const { adapter, client } = this.#options;
    const bytes = await this.#session.call((token) => client.scales(token, scalesBytes(adapter.manifest)));
    this.#scales = checkScales(adapter.manifest, bytes);
  }

  async #beginPass(tokens: number): Promise<void> {
    const view = this.#view ?? (await this.#connect());
    const { pending } = this.#pass;
    if (pending !== undefined) {
      ensure(
        pending.tokens === tokens,
        "session/pass-pending",
        `pass ${pending.number} with ${pending.tokens} tokens is not finished`,
        {
          field: "tokens",
          hint: "run the same tokens again, or finishInterrupted(): its tokens are paid and lost",
        },
      );
      return;
    }
    ensure(
      view.phase === "serving",
      "session/ended",
      `the agreement is ${view.phase}: nothing more is served`,
      {
        field: "session.phase",
        hint: "open another agreement",
      },
    );
    ensure(this.#now() <= this.terms.deadline, "session/deadline", "the agreement's deadline has passed", {
      field: "deadline",
      hint: "open another agreement",
    });
    checkBudget(this.terms, this.#state.tokens, tokens);
    const unreceipted = this.#state.tokens - view.receipt.tokens;
    if (BigInt(unreceipted + tokens) > this.terms.offer.maxUnpaidTokens) await this.#sendReceipt();
    this.#pass.begin(this.#state.passes + 1, tokens);
  }

  async #answer(modules: readonly number[], X: Int16Array): Promise<Float64Array[]> {
    const body = this.#pass.keepInput(modules, X);
    if (!this.#pass.hasAnswers(modules)) {
      const { client } = this.#options;
      const { number, tokens } = this.#pass;
      const size = modules.reduce((sum, m) => sum + 8 * tokens * this.layout.modules[m]!.dOut, 0);
      const bytes = await this.#session.call((token) => client.pass(token, number, body, size));
      this.#pass.addAnswers(modules, decodePassAnswer(this.layout, { modules: [...modules], tokens }, bytes));
    }
    return this.#pass.answers(modules);
  }

  #finishPass(): void {
    const whole = this.#pass.whole();
    const state = addPass(this.layout, this.#state, whole);
    const { store, transcriptFolder } = this.#options;
    if (transcriptFolder !== undefined)
      keepPass(path.join(transcriptFolder, this.agreementId), state.passes, whole);
    const from = this.#rank.rank ?? 0;
    const rows = this.#rank.add(whole.X[this.#rankModule]!);
    store.finishPass(this.agreementId, state.passes, encodeState(state), { from, rows });
    this.#state = state;
    this.#pass.finished();
  }

  async #finishInterrupted(): Promise<number> {
    if (this.#pass.pending === undefined) return 0;
    if (this.#view === undefined) await this.#connect();
    // Connecting may have shown that the contributor never saw it.
    if (this.#pass.pending === undefined) return 0;
    const { tokens } = this.#pass;
    for (const [m, { dIn }] of this.layout.modules.entries())
      await this.#answer([m], this.#pass.input(m) ?? new Int16Array(tokens * dIn));
    this.#finishPass();
    return tokens;
  }

  async #sendReceipt(): Promise<StoredReceipt> {
    const { store, client, onReceipt } = this.#options;
    const { passes, tokens } = this.#state;
    ensure(passes > 0, "receipt/nothing", "no pass is finished yet", { field: "passes" });
    const start = performance.now();
    const { receipt, signature } = await this.#storedReceipt();
    const computeMs = performance.now() - start;
    const view = await this.#session.call((token) => client.receipt(token, receipt, signature));
    ensure(
      view.receipt.passes === passes,
      "receipt/not-accepted",
      `the contributor's last receipt covers ${view.receipt.passes} passes, not ${passes}`,
      {
        field: "session.receipt",
      },
    );
    store.acceptReceipt(this.agreementId, receipt.passes);
    this.#view = view;
    onReceipt?.({ passes, tokens, computeMs });
    return store.lastReceipt(this.agreementId)!;
  }

  /** The receipt of the present state, on disk. */
  #storedReceipt(): Promise<StoredReceipt> {
    const { store, curve, adapter, signer } = this.#options;
    return currentReceipt(curve, adapter, store, this.#domain, signer, this.agreementId, this.#state);
  }

  async #end(abandonPass: boolean): Promise<SessionView> {
    const { client, store } = this.#options;
    const { receipt } = this.#view ?? (await this.#connect());
    ensure(
      abandonPass || this.#pass.pending === undefined,
      "session/pass-pending",
      "a pass is not finished",
      {
        hint: "finish it with finishInterrupted(), or end with abandonPass",
      },
    );
    if (this.#state.passes > receipt.passes) await this.#sendReceipt();
    this.#view = await this.#session.call((token) => client.end(token));
    store.setPhase(this.agreementId, "ended");
    return this.#view;
  }
}

function checkBelongTogether({ adapter, terms, signer }: RemoteAdapterOptions): void {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  const sameAdapter =
    same(terms.offer.adapterId, adapter.adapterId) && same(terms.manifestHash, adapter.entry.manifestHash);
  ensure(sameAdapter, "agreement/other-adapter", "the agreement is for another adapter", {
    field: "adapterId",
  });
  ensure(
    same(signer.address, terms.signer),
    "agreement/other-signer",
    "this key does not sign for the agreement",
    {
      field: "signer",
    },
  );
}
