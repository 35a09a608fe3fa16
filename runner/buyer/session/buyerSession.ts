/**
 * A buyer's half of a session (protocol 5), one call at a time: `RemoteAdapter` sees to that.
 *
 * Whatever leaves this machine is on disk first: activations and salt before a request, a receipt before it is sent. So a
 * repeat after a crash carries the same bytes and gets the same answer.
 */
import * as path from "node:path";
import type { LocalAccount } from "viem/accounts";
import { fromHex } from "../../protocol/bytes.ts";
import type { Curve } from "../../protocol/curve.ts";
import { ensure } from "../../protocol/errors.ts";
import { addPass, initialState, type SessionState } from "../../protocol/fold.ts";
import type { AdapterLayout } from "../../protocol/layout.ts";
import { mostExposedModule, RankTracker } from "../../protocol/leakage.ts";
import { decodeState, encodeState } from "../../protocol/sessionState.ts";
import type { Domain } from "../../protocol/typedData.ts";
import { keepPass } from "../../storage/transcript.ts";
import type { SessionView } from "../../wire/messages.ts";
import { decodePassAnswer } from "../../wire/passRequest.ts";
import type { ContributorClient } from "../client/contributorClient.ts";
import { unixNow } from "../clock.ts";
import type { VerifiedAdapter } from "../opening/verifyAdapter.ts";
import type { BuyerStore } from "../store/store.ts";
import type { AgreementTerms, StoredReceipt } from "../store/storedRows.ts";
import { checkBudget } from "./budget.ts";
import { compareMemories } from "./compareMemories.ts";
import { PassUnderWay } from "./passUnderWay.ts";
import { currentReceipt, type StatementSource } from "./receipts.ts";
import { checkScales, scalesBytes } from "./scales.ts";
import { Session } from "./session.ts";
import { refuseZeros } from "./zeroAnswers.ts";

export interface BuyerSessionOptions {
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

export class BuyerSession {
  readonly #layout: AdapterLayout;
  readonly #terms: AgreementTerms;
  readonly #options: BuyerSessionOptions;
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

  /** @throws DeltapayError `session/bad-state` */
  constructor(options: BuyerSessionOptions) {
    const { adapter, terms, store, signer } = options;
    const id = terms.agreementId;
    this.#layout = adapter.layout;
    this.#terms = terms;
    this.#options = options;
    this.#session = new Session(options.client, this.#domain, id, signer);
    const stored = store.sessionState(id);
    this.#state =
      stored === undefined ? initialState(this.#layout, fromHex(id, 32)) : decodeState(this.#layout, stored);
    this.#rankModule = mostExposedModule(this.#layout);
    this.#rank = new RankTracker(this.#layout.modules[this.#rankModule]!.dIn, store.rankRows(id));
    this.#pass = new PassUnderWay(this.#layout, store, id);
  }

  /** Finished passes and their tokens. */
  get progress(): { passes: number; tokens: number } {
    const { passes, tokens } = this.#state;
    return { passes, tokens };
  }

  /** Rank of the activations shown to the most exposed module, as far as it is followed. */
  get rank(): RankTracker["rank"] {
    return this.#rank.rank;
  }

  /** Known once connected. */
  get scales(): Float64Array[] | undefined {
    return this.#scales;
  }

  get pending(): PassUnderWay["pending"] {
    return this.#pass.pending;
  }

  get #domain(): Domain {
    return { chainId: this.#terms.chainId, escrow: this.#terms.escrow };
  }

  /** Asks with the session's token. */
  ask<Result>(request: (client: ContributorClient, token: string) => Promise<Result>): Promise<Result> {
    return this.#session.call((token) => request(this.#options.client, token));
  }

  /** As `RemoteAdapter.connect`. */
  async connect(): Promise<SessionView> {
    // Until every check has passed nothing goes on, also when the caller tries again.
    this.#view = undefined;
    const view = await this.#session.connect();
    if (compareMemories(view, this.#state, this.#pass.pending?.number) === "never-seen") this.#pass.drop();
    if (this.#scales === undefined) await this.#loadScales();
    this.#clock = { time: (await this.#options.time?.()) ?? unixNow(), at: performance.now() };
    this.#view = view;
    const last = this.#options.store.lastReceipt(this.#terms.agreementId);
    const current = BigInt(this.#state.passes);
    const missing = last?.receipt.passes === current && BigInt(view.receipt.passes) < current;
    if (missing && view.passes === this.#state.passes) await this.sendReceipt();
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

  /** As `RemoteAdapter.beginPass`. */
  async beginPass(tokens: number): Promise<void> {
    const view = this.#view ?? (await this.connect());
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
    ensure(this.#now() <= this.#terms.deadline, "session/deadline", "the agreement's deadline has passed", {
      field: "deadline",
      hint: "open another agreement",
    });
    checkBudget(this.#terms, this.#layout, this.#state.tokens, tokens);
    const unreceipted = this.#state.tokens - view.receipt.tokens;
    if (BigInt(unreceipted + tokens) > this.#terms.offer.maxUnpaidTokens) await this.sendReceipt();
    this.#pass.begin(this.#state.passes + 1, tokens);
  }

  /** As `RemoteAdapter.answer`. */
  async answer(modules: readonly number[], X: Int16Array): Promise<Float64Array[]> {
    const body = this.#pass.keepInput(modules, X);
    if (!this.#pass.hasAnswers(modules)) {
      const { client } = this.#options;
      const { number, tokens } = this.#pass;
      const size = modules.reduce((sum, m) => sum + 8 * tokens * this.#layout.modules[m]!.dOut, 0);
      const bytes = await this.#session.call((token) => client.pass(token, number, body, size));
      this.#pass.addAnswers(
        modules,
        decodePassAnswer(this.#layout, { modules: [...modules], tokens }, bytes),
      );
    }
    return this.#pass.answers(modules);
  }

  /** As `RemoteAdapter.finishPass`. */
  finishPass(): void {
    const whole = this.#pass.whole();
    const state = addPass(this.#layout, this.#state, whole);
    const { store, transcriptFolder } = this.#options;
    if (transcriptFolder !== undefined)
      keepPass(path.join(transcriptFolder, this.#terms.agreementId), state.passes, whole);
    const from = this.#rank.rank ?? 0;
    const rows = this.#rank.add(whole.X[this.#rankModule]!);
    store.finishPass(this.#terms.agreementId, state.passes, encodeState(state), { from, rows });
    this.#state = state;
    this.#pass.finished();
  }

  /** As `RemoteAdapter.finishInterrupted`. */
  async finishInterrupted(): Promise<number> {
    if (this.#pass.pending === undefined) return 0;
    if (this.#view === undefined) await this.connect();
    // Connecting may have shown that the contributor never saw it.
    if (this.#pass.pending === undefined) return 0;
    const { tokens } = this.#pass;
    for (const [m, { dIn, name }] of this.#layout.modules.entries()) {
      const X = this.#pass.input(m) ?? new Int16Array(tokens * dIn);
      const [Y] = await this.answer([m], X);
      refuseZeros(Y!, X, name);
    }
    this.finishPass();
    return tokens;
  }

  /** As `RemoteAdapter.signReceipt`. */
  async sendReceipt(): Promise<StoredReceipt> {
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
    store.acceptReceipt(this.#terms.agreementId, receipt.passes);
    this.#view = view;
    onReceipt?.({ passes, tokens, computeMs });
    return store.lastReceipt(this.#terms.agreementId)!;
  }

  /** The receipt of the present state, on disk. */
  #storedReceipt(): Promise<StoredReceipt> {
    const { store, curve, adapter, signer } = this.#options;
    return currentReceipt(curve, adapter, store, this.#domain, signer, this.#terms.agreementId, this.#state);
  }

  /** As `RemoteAdapter.end`. */
  async end(abandonPass: boolean): Promise<SessionView> {
    const { client, store } = this.#options;
    const { receipt } = this.#view ?? (await this.connect());
    ensure(
      abandonPass || this.#pass.pending === undefined,
      "session/pass-pending",
      "a pass is not finished",
      {
        hint: "finish it with finishInterrupted(), or end with abandonPass",
      },
    );
    if (this.#state.passes > receipt.passes) await this.sendReceipt();
    this.#view = await this.#session.call((token) => client.end(token));
    store.setPhase(this.#terms.agreementId, "ended");
    return this.#view;
  }
}
