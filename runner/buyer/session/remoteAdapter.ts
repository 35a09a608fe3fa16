import type { Hex } from "../../protocol/bytes.ts";
import { ensure } from "../../protocol/errors.ts";
import type { AdapterLayout } from "../../protocol/layout.ts";
import { type Leakage, leakageOf } from "../../protocol/leakage.ts";
import { encodeOpening, openingOf } from "../../protocol/openingFile.ts";
import { decodeState } from "../../protocol/sessionState.ts";
import type { ProofBundle, SessionView } from "../../wire/messages.ts";
import type { AgreementTerms, StoredReceipt } from "../store/storedRows.ts";
import { checkBudget, longestPass, tokensLeft } from "./budget.ts";
import { BuyerSession, type BuyerSessionOptions } from "./buyerSession.ts";

export class RemoteAdapter {
  readonly layout: AdapterLayout;
  readonly terms: AgreementTerms;
  readonly #options: BuyerSessionOptions;
  readonly #session: BuyerSession;
  #queue: Promise<unknown> = Promise.resolve();

  /** @throws DeltapayError `agreement/other-adapter`, `agreement/other-signer`, `session/bad-state` */
  constructor(options: BuyerSessionOptions) {
    checkBelongTogether(options);
    this.layout = options.adapter.layout;
    this.terms = options.terms;
    this.#options = options;
    this.#session = new BuyerSession(options);
  }

  get agreementId(): Hex {
    return this.terms.agreementId;
  }

  /** Finished passes, their tokens, and the tokens that may still be asked. */
  get progress(): { passes: number; tokens: number; tokensLeft: number } {
    const { passes, tokens } = this.#session.progress;
    return { passes, tokens, tokensLeft: tokensLeft(this.terms, tokens) };
  }

  /** Most tokens one pass may have. */
  get longestPass(): number {
    return longestPass(this.terms, this.layout);
  }

  /** Whether a pass of `tokens` more tokens is served and paid for. @throws DeltapayError `budget/...` */
  checkPass(tokens: number): void {
    checkBudget(this.terms, this.layout, this.#session.progress.tokens, tokens);
  }

  /** What the tokens bought so far give away of the adapter. */
  get leakage(): Leakage {
    return leakageOf(this.layout, this.#session.progress.tokens, this.#session.rank);
  }

  /**
   * Output scales of a module, known once connected.
   * @throws DeltapayError `session/not-connected`
   */
  scales(module: number): Float64Array {
    const { scales } = this.#session;
    ensure(scales !== undefined, "session/not-connected", "the scales come with the first connection", {
      field: "scales",
    });
    return scales[module]!;
  }

  /** A pass begun, at least one module of which was asked or was about to be, and not finished. */
  pendingPass(): { number: number; tokens: number; modules: number[] } | undefined {
    return this.#session.pending;
  }

  /**
   * Opens a session, compares what both sides remember, resends a receipt that did not arrive and loads the scales.
   * @throws DeltapayError `session/contributor-behind`, `session/buyer-behind`, `session/heads-differ`, `scales/...`, `http/...`
   */
  connect(): Promise<SessionView> {
    return this.#inTurn(() => this.#session.connect());
  }

  /**
   * Begins a pass of `tokens` tokens, signing a receipt first where the offer asks for one. A pass that was interrupted goes
   * on with its own salt, and must then see the same tokens.
   * @throws DeltapayError `session/pass-pending`, `session/ended`, `session/deadline`, `budget/...`
   */
  beginPass(tokens: number): Promise<void> {
    return this.#inTurn(() => this.#session.beginPass(tokens));
  }

  /**
   * Asks for the answers of modules that read the same activations.
   * @param modules manifest indices, ascending
   * @param X tokens x dIn, quantised; on disk before it is sent
   * @returns Y per module, tokens x dOut, each an integer with |y| <= Y_MAX
   * @throws DeltapayError `session/no-pass`, `session/other-activations`, `session/bad-pass`, `wire/bad-answer`, `encoding/...`
   */
  answer(modules: readonly number[], X: Int16Array): Promise<Float64Array[]> {
    return this.#inTurn(() => this.#session.answer(modules, X));
  }

  /**
   * Folds the finished pass into the session's state, durably.
   * @throws DeltapayError `session/bad-pass` while modules are unanswered, `session/other-process`
   */
  finishPass(): Promise<void> {
    return this.#inTurn(async () => this.#session.finishPass());
  }

  /**
   * Finishes a pass whose run was interrupted: stored activations are resent, modules not yet asked get zeros. Its tokens
   * are paid and lost; the agreement goes on.
   * @returns tokens of the pass; 0 when none was pending
   * @throws DeltapayError `session/zero-answers`: such a pass is not paid for
   */
  finishInterrupted(): Promise<number> {
    return this.#inTurn(() => this.#session.finishInterrupted());
  }

  /**
   * Signs a receipt for all finished passes and sends it; the one already signed for as many passes is sent again.
   * @throws DeltapayError `receipt/nothing`, `receipt/conflict`, and the contributor's refusal
   */
  signReceipt(): Promise<StoredReceipt> {
    return this.#inTurn(() => this.#session.sendReceipt());
  }

  /**
   * Sends the last receipt and tells the contributor that the buyer is done: it may prove and settle.
   * @param options.abandonPass leave an interrupted pass unfinished: nothing more can be asked, nothing of it is paid
   * @throws DeltapayError `session/pass-pending`, as `signReceipt`
   */
  end(options: { abandonPass?: boolean } = {}): Promise<SessionView> {
    return this.#inTurn(() => this.#session.end(options.abandonPass ?? false));
  }

  /** The session as the contributor sees it now. */
  status(): Promise<SessionView> {
    return this.#inTurn(() => this.#session.ask((client, token) => client.session(token)));
  }

  /** The proof bundle, once the contributor has made it. */
  bundle(): Promise<ProofBundle> {
    return this.#inTurn(() => this.#session.ask((client, token) => client.bundle(token)));
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

  /** One request at a time, in the order asked (protocol 5). */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

function checkBelongTogether({ adapter, terms, signer }: BuyerSessionOptions): void {
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
