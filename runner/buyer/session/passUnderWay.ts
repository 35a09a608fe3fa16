/**
 * The pass a buyer has begun and not finished. Its salt and activations are on disk before they leave, so that after a
 * crash it goes on with the same bytes.
 */
import type { Hex } from "../../protocol/bytes.ts";
import { DeltapayError, ensure } from "../../protocol/errors.ts";
import type { Pass } from "../../protocol/fold.ts";
import type { AdapterLayout } from "../../protocol/layout.ts";
import type { BuyerStore } from "../store/store.ts";
import type { PendingPass } from "../store/storedRows.ts";
import { passBody } from "./passBody.ts";

/** What is on disk of it, and the answers so far. */
interface OpenPass extends PendingPass {
  answers: Map<number, Float64Array>;
}

export class PassUnderWay {
  readonly #layout: AdapterLayout;
  readonly #store: BuyerStore;
  readonly #agreementId: Hex;
  #pass: OpenPass | undefined;

  constructor(layout: AdapterLayout, store: BuyerStore, agreementId: Hex) {
    this.#layout = layout;
    this.#store = store;
    this.#agreementId = agreementId;
    const widths = layout.modules.map(({ dIn }) => dIn);
    const stored = store.pendingPass(agreementId, widths);
    this.#pass = stored === undefined ? undefined : { ...stored, answers: new Map() };
  }

  /** @throws DeltapayError `session/no-pass` */
  get #begun(): OpenPass {
    ensure(this.#pass !== undefined, "session/no-pass", "no pass is under way", {
      hint: "call beginPass first",
    });
    return this.#pass;
  }

  /** Its number; @throws DeltapayError `session/no-pass` */
  get number(): number {
    return this.#begun.number;
  }

  /** @throws DeltapayError `session/no-pass` */
  get tokens(): number {
    return this.#begun.tokens;
  }

  /** Once at least one module was asked or was about to be. */
  get pending(): { number: number; tokens: number; modules: number[] } | undefined {
    if (this.#pass === undefined || this.#pass.inputs.size === 0) return undefined;
    const { number, tokens, inputs } = this.#pass;
    return { number, tokens, modules: [...inputs.keys()].sort((a, b) => a - b) };
  }

  /** Begins a pass with a fresh salt; nothing of it is on disk before its first activations. */
  begin(number: number, tokens: number): void {
    const salt = crypto.getRandomValues(new Uint8Array(32));
    this.#pass = { number, tokens, salt, inputs: new Map(), answers: new Map() };
  }

  /** Forgets a pass that the contributor never saw. */
  drop(): void {
    this.#store.dropPass(this.#agreementId);
    this.#pass = undefined;
  }

  /**
   * Puts activations on disk.
   * @returns the request's body
   * @throws DeltapayError `session/no-pass`, `session/bad-pass`, `session/other-activations`, `session/other-process`
   */
  keepInput(modules: readonly number[], X: Int16Array): Uint8Array {
    const pass = this.#begun;
    const { salt: passSalt, tokens } = pass;
    const body = passBody(this.#layout, { modules: [...modules], passSalt, tokens, X });
    for (const m of modules) this.#requireSame(pass, m, X);
    const fresh = modules.filter((m) => !pass.inputs.has(m));
    if (fresh.length > 0) {
      this.#store.addInput(this.#agreementId, pass, fresh, X);
      const kept = X.slice();
      for (const m of fresh) pass.inputs.set(m, kept);
    }
    return body;
  }

  #requireSame({ number, inputs }: OpenPass, module: number, X: Int16Array): void {
    const { name } = this.#layout.modules[module]!;
    if (inputs.get(module)?.some((x, i) => x !== X[i]))
      throw new DeltapayError(
        "session/other-activations",
        `pass ${number} was begun with other activations of '${name}': it cannot go on with these`,
        {
          field: name,
          hint: "run the same tokens again; or finishInterrupted(), or end with the last receipt",
        },
      );
  }

  /** What was asked of a module; undefined when it was not. */
  input(module: number): Int16Array | undefined {
    return this.#begun.inputs.get(module);
  }

  hasAnswers(modules: readonly number[]): boolean {
    const { answers } = this.#begun;
    return modules.every((m) => answers.has(m));
  }

  addAnswers(modules: readonly number[], answers: readonly Float64Array[]): void {
    for (const [i, m] of modules.entries()) this.#begun.answers.set(m, answers[i]!);
  }

  answers(modules: readonly number[]): Float64Array[] {
    const { answers } = this.#begun;
    return modules.map((m) => answers.get(m)!);
  }

  /** All of it. @throws DeltapayError `session/bad-pass` while modules are unanswered, `session/no-pass` */
  whole(): Pass {
    const { salt: passSalt, tokens, inputs, answers } = this.#begun;
    const { modules } = this.#layout;
    const missing = modules.find((_, m) => !answers.has(m));
    ensure(missing === undefined, "session/bad-pass", `'${missing?.name}' was not asked in this pass`, {
      field: "modules",
      hint: "a pass visits every module once",
    });
    const each = <Part>(parts: Map<number, Part>): Part[] => modules.map((_, m) => parts.get(m)!);
    return { passSalt, tokens, X: each(inputs), Y: each(answers) };
  }

  /** It is part of the session's state on disk. */
  finished(): void {
    this.#pass = undefined;
  }
}
