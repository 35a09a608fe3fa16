/** Answering passes (protocol 5.2): what is asked, whether it is answered; Y is durable before anybody sees it. */
import { equalBytes, type Hex } from "../../protocol/bytes.ts";
import { decodeAnswers, encodeActivations, encodeAnswers } from "../../protocol/encoding.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { type Pass, passSteps, type SessionState } from "../../protocol/fold.ts";
import { type AdapterLayout, answerBound } from "../../protocol/layout.ts";
import { answer } from "../../protocol/quantise.ts";
import { stateSteps } from "../../protocol/sessionState.ts";
import { GroupCommit } from "../../storage/groupCommit.ts";
import { keepPass } from "../../storage/transcript.ts";
import { decodePassRequest, type PassRequest } from "../../wire/passRequest.ts";
import { admitPass } from "../admission.ts";
import type { AgreementWatch } from "../agreementWatch.ts";
import type { ContributorData } from "../dataFolder.ts";
import type { OnEvent } from "../events.ts";
import type { LeakageMeter } from "../leakage/meter.ts";
import { inSlices } from "../slices.ts";
import type { StoredPass } from "../store/passes.ts";
import type { LiveSession, LiveSessions, SessionAdapter } from "./liveSessions.ts";
import type { SettlingTime } from "./settlingTime.ts";

export interface PassAnswersOptions {
  data: ContributorData;
  live: LiveSessions;
  watch: AgreementWatch;
  leakage: LeakageMeter;
  settlingTime: SettlingTime;
  /** How old the chain's word on an agreement may be. */
  maxAgeMs: number;
  onEvent?: OnEvent;
  keepTranscript?: boolean;
}

export class PassAnswers {
  readonly #options: PassAnswersOptions;
  readonly #commits: GroupCommit;

  constructor(options: PassAnswersOptions) {
    this.#options = options;
    this.#commits = new GroupCommit(options.data.database);
  }

  /**
   * Answers some modules of a pass; Y is durable before it is returned. One call of an agreement at a time.
   * @returns Y of each module asked, in order
   * @throws DeltapayError `session/wrong-pass`, `session/changed-repeat`, `session/changed-tokens`, `session/salt-reused`,
   * `session/ended`, `session/leakage-limit`, those of `admitPass`, `wire/bad-request`, `encoding/...`
   */
  async answer(agreementId: Hex, number: number, body: Uint8Array): Promise<Uint8Array> {
    const live = this.#options.live.get(agreementId);
    const started = passNumbered(live, number);
    const request = decodePassRequest(live.adapter.layout, body);
    const missing = started === undefined ? request.modules : missingModules(started, request);
    // After the end only what was answered is repeated, for as long as it is kept.
    if (missing.length > 0) this.#options.live.requireServing(agreementId);
    const admit = started === undefined ? await this.#admission(agreementId, live, request) : () => {};
    if (started === undefined) this.#options.live.requireServing(agreementId);
    admit();
    if (missing.length > 0) await this.#compute(agreementId, live, number, request, missing, admit);
    return Buffer.concat(request.modules.map((m) => live.pass!.answers.get(m)!.Y));
  }

  /** What decides whether a pass begins, to be asked again when others may have begun theirs. */
  async #admission(
    agreementId: Hex,
    { adapter, offer, state, covered }: LiveSession,
    request: PassRequest,
  ): Promise<() => void> {
    const { live, watch, leakage, settlingTime, maxAgeMs } = this.#options;
    await leakage.ready(agreementId);
    const { agreement, now, headAge } = await watch.newest(agreementId);
    // A buyer may have closed that long ago without being seen.
    const unseen = BigInt(Math.ceil(maxAgeMs / 1000)) + headAge;
    const { closeWindow } = offer.offer;
    return () => {
      const record = live.agreements.get(agreementId);
      admitPass({
        offer: offer.offer,
        agreement,
        openedDeadline: BigInt(record.deadline),
        tokens: BigInt(state.tokens),
        covered: BigInt(covered.tokens),
        passTokens: BigInt(request.tokens),
        now,
        margin: settlingTime.margin(agreementId, adapter, agreement.deadline),
        closeMargin: settlingTime.marginIfAllClose(agreementId, adapter, now, closeWindow) + unseen,
      });
      leakage.admit(agreementId, request.tokens);
      if (live.passes.saltUsed(agreementId, request.passSalt))
        throw new DeltapayError(
          "session/salt-reused",
          "an earlier pass of this agreement had the same salt",
          {
            field: "passSalt",
            hint: "every pass takes 32 fresh random bytes",
          },
        );
    };
  }

  /**
   * Computes, stores, and with the last module of the pass folds it; memory follows the disk. Others are answered
   * meanwhile; of this agreement nobody else changes anything but its end, which is looked for again before storing.
   * @param admit throws when the pass may not begin after all
   */
  async #compute(
    agreementId: Hex,
    live: LiveSession,
    number: number,
    request: PassRequest,
    missing: number[],
    admit: () => void,
  ): Promise<void> {
    const { live: sessions } = this.#options;
    const { X, tokens, passSalt } = request;
    const fresh = await inSlices(answerSteps(live.adapter, request, missing));
    const begins = live.pass?.pass !== number;
    const pass: StoredPass = begins
      ? { pass: number, passSalt, tokens, answers: new Map() }
      : { ...live.pass!, answers: new Map(live.pass!.answers) };
    for (const [m, Y] of fresh) pass.answers.set(m, { X, Y });
    const isWhole = pass.answers.size === live.adapter.layout.modules.length;
    const state = isWhole ? await this.#fold(agreementId, live, pass) : live.state;
    const encoded = isWhole ? await inSlices(stateSteps(state)) : undefined;
    await this.#commits.run(() => {
      sessions.requireServing(agreementId);
      admit();
      if (begins) sessions.passes.begin(agreementId, number, passSalt, tokens);
      sessions.passes.addAnswers(agreementId, number, encodeActivations(X), fresh);
      if (encoded !== undefined)
        sessions.agreements.writeState(agreementId, state.passes, state.tokens, encoded);
    });
    live.pass = pass;
    live.state = state;
    this.#options.leakage.observe(agreementId, new Map(missing.map((m) => [m, X])));
    if (begins) this.#options.leakage.tellPast(agreementId, tokens);
    if (isWhole)
      this.#options.onEvent?.({
        type: "pass",
        agreementId,
        pass: number,
        tokens,
        totalTokens: state.tokens,
        unpaidTokens: state.tokens - live.covered.tokens,
      });
  }

  async #fold(
    agreementId: Hex,
    { adapter: { layout }, state }: LiveSession,
    stored: StoredPass,
  ): Promise<SessionState> {
    const complete = await inSlices(decodeSteps(layout, stored));
    if (this.#options.keepTranscript === true)
      keepPass(this.#options.data.transcriptDirectory(agreementId), stored.pass, complete);
    return inSlices(passSteps(layout, state, complete));
  }
}

/** Weights multiplied with activations between two pauses: some milliseconds. */
const PRODUCTS_AT_ONCE = 2 ** 22;

/** Y of some modules as it is sent, by module. */
function* answerSteps(
  { layout, weights }: SessionAdapter,
  { X, tokens }: PassRequest,
  modules: readonly number[],
): Generator<void, Map<number, Uint8Array>> {
  const answers = new Map<number, Uint8Array>();
  for (const m of modules) {
    const { dIn, dOut, r } = layout.modules[m]!;
    const { Aq, Bq } = weights[m]!;
    const Y = new Uint8Array(8 * tokens * dOut);
    const atOnce = Math.max(1, Math.floor(PRODUCTS_AT_ONCE / (r * (dIn + dOut))));
    for (let from = 0; from < tokens; from += atOnce) {
      const to = Math.min(tokens, from + atOnce);
      const rows = X.subarray(from * dIn, to * dIn);
      Y.set(encodeAnswers(answer(Aq, Bq, rows, to - from, dIn, dOut, r)), 8 * from * dOut);
      yield;
    }
    answers.set(m, Y);
  }
  return answers;
}

/** A stored pass as numbers. */
function* decodeSteps(
  layout: AdapterLayout,
  { passSalt, tokens, answers }: StoredPass,
): Generator<void, Pass> {
  const Y: Float64Array[] = [];
  for (const [m, module] of layout.modules.entries()) {
    Y.push(decodeAnswers(answers.get(m)!.Y, tokens * module.dOut, answerBound(module)));
    yield;
  }
  return { passSalt, tokens, X: layout.modules.map((_, m) => answers.get(m)!.X), Y };
}

/** The pass under way or just finished if that is the one asked for; undefined if it is the next. */
function passNumbered({ state, pass }: LiveSession, number: number): StoredPass | undefined {
  if (pass?.pass === number) return pass;
  const isOpen = pass !== undefined && pass.pass > state.passes;
  const next = isOpen ? pass.pass : state.passes + 1;
  if (number !== next)
    throw new DeltapayError("session/wrong-pass", `pass ${number} was asked for, pass ${next} is due`, {
      field: "pass",
      hint: isOpen ? "a pass is finished before the next begins" : "passes are numbered from 1, without gaps",
    });
  return undefined;
}

/** Modules of a repeated or continued request that have no answer yet; everything else must be as it was. */
function missingModules(started: StoredPass, request: PassRequest): number[] {
  const refuse = (what: string, message: string, field: string): never => {
    throw new DeltapayError(`session/${what}`, message, {
      field,
      hint: "a pass goes on exactly as it began; a repeat has the same bytes",
    });
  };
  if (!equalBytes(started.passSalt, request.passSalt))
    refuse("changed-repeat", "the pass began with another salt", "passSalt");
  if (started.tokens !== request.tokens)
    refuse("changed-tokens", `the pass began with ${started.tokens} tokens, not ${request.tokens}`, "tokens");
  return request.modules.filter((m) => {
    const answered = started.answers.get(m);
    if (answered?.X.some((x, i) => x !== request.X[i]))
      refuse("changed-repeat", `module ${m} was answered for other activations`, "X");
    return answered === undefined;
  });
}
