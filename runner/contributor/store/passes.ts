/** Answers of the newest pass of an agreement, kept until the next begins so that a lost answer can be sent again. */
import type { DatabaseSync } from "node:sqlite";
import type { Hex } from "../../protocol/bytes.ts";
import { decodeActivations } from "../../protocol/encoding.ts";
import { all, first, run } from "./rows.ts";

export interface StoredAnswer {
  /** T x dIn, as asked. */
  X: Int16Array;
  /** T x dOut int64 LE: the very bytes that were sent. */
  Y: Uint8Array;
}

/** The newest pass, finished or not. */
export interface StoredPass {
  pass: number;
  passSalt: Uint8Array;
  tokens: number;
  answers: Map<number, StoredAnswer>;
}

export class PassStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Undefined before the first pass. */
  newest(agreementId: Hex): StoredPass | undefined {
    const row = first<{ pass: number; salt: Uint8Array; tokens: number }>(
      this.#database,
      "SELECT pass, salt, tokens FROM pass WHERE agreement_id = ? ORDER BY pass DESC LIMIT 1",
      agreementId,
    );
    if (row === undefined) return undefined;
    const inputs = new Map(
      all<{ input: number; x: Uint8Array }>(
        this.#database,
        "SELECT input, x FROM pass_input WHERE agreement_id = ? AND pass = ?",
        agreementId,
        row.pass,
      ).map(({ input, x }) => [input, decodeActivations(x, x.length / 2)]),
    );
    const answers = all<{ module: number; input: number; y: Uint8Array }>(
      this.#database,
      "SELECT module, input, y FROM answer WHERE agreement_id = ? AND pass = ? ORDER BY module",
      agreementId,
      row.pass,
    );
    return {
      pass: row.pass,
      passSalt: row.salt,
      tokens: row.tokens,
      answers: new Map(answers.map(({ module, input, y }) => [module, { X: inputs.get(input)!, Y: y }])),
    };
  }

  /** Modules answered of the newest pass. */
  answered(agreementId: Hex): number {
    const sql = "SELECT count(*) AS n FROM answer WHERE agreement_id = ?";
    return first<{ n: number }>(this.#database, sql, agreementId)!.n;
  }

  /** Whether a salt was used by any pass of the agreement. */
  saltUsed(agreementId: Hex, salt: Uint8Array): boolean {
    const sql = "SELECT 1 FROM pass WHERE agreement_id = ? AND salt = ?";
    return first(this.#database, sql, agreementId, salt) !== undefined;
  }

  /** Begins a pass and forgets the answers of those before. */
  begin(agreementId: Hex, pass: number, salt: Uint8Array, tokens: number): void {
    this.forgetAnswers(agreementId);
    run(
      this.#database,
      "INSERT INTO pass (agreement_id, pass, salt, tokens) VALUES (?, ?, ?, ?)",
      agreementId,
      pass,
      salt,
      tokens,
    );
  }

  /** Drops activations and answers; the passes stay. */
  forgetAnswers(agreementId: Hex): void {
    run(this.#database, "DELETE FROM answer WHERE agreement_id = ?", agreementId);
    run(this.#database, "DELETE FROM pass_input WHERE agreement_id = ?", agreementId);
  }

  /** Stores the answers to one request. */
  addAnswers(agreementId: Hex, pass: number, X: Uint8Array, answers: ReadonlyMap<number, Uint8Array>): void {
    const input = Math.min(...answers.keys());
    run(
      this.#database,
      "INSERT INTO pass_input (agreement_id, pass, input, x) VALUES (?, ?, ?, ?)",
      agreementId,
      pass,
      input,
      X,
    );
    for (const [module, Y] of answers)
      run(
        this.#database,
        "INSERT INTO answer (agreement_id, pass, module, input, y) VALUES (?, ?, ?, ?, ?)",
        agreementId,
        pass,
        module,
        input,
        Y,
      );
  }
}
