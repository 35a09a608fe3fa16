/** The buyer's database: agreements, the session of each, passes under way, receipts. Every write is durable on return. */
import { equalBytes, type Hex } from "../../protocol/bytes.ts";
import { decodeActivations, encodeActivations } from "../../protocol/encoding.ts";
import { ensure } from "../../protocol/errors.ts";
import type { RankRow } from "../../protocol/leakage.ts";
import type { Receipt, ServiceRecord } from "../../protocol/typedData.ts";
import { type DatabaseSync, transaction } from "../../storage/database.ts";
import { stringifyMessage } from "../../wire/messages.ts";
import {
  type AgreementPhase,
  type AgreementTerms,
  blob,
  type PendingPass,
  type Row,
  readAgreement,
  readReceipt,
  type StoredAgreement,
  type StoredReceipt,
} from "./storedRows.ts";

export class BuyerStore {
  readonly #database: DatabaseSync;

  /** @param database opened with BUYER_MIGRATIONS */
  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Stores an agreement about to be opened. */
  addAgreement(terms: AgreementTerms): void {
    this.#run(
      "INSERT INTO agreement (id, terms, phase) VALUES (?, ?, 'opening')",
      terms.agreementId,
      stringifyMessage(terms),
    );
  }

  /** Replaces the record by which the contributor is found. */
  setRecord(agreementId: Hex, record: ServiceRecord): void {
    transaction(this.#database, () => {
      const { terms } = this.agreement(agreementId);
      this.#run(
        "UPDATE agreement SET terms = ? WHERE id = ?",
        stringifyMessage({ ...terms, record }),
        agreementId,
      );
    });
  }

  setTransaction(agreementId: Hex, transactionHash: Hex): void {
    this.#run("UPDATE agreement SET transaction_hash = ? WHERE id = ?", transactionHash, agreementId);
  }

  /** With the end the session's state goes where its newest receipt holds the same one. */
  setPhase(agreementId: Hex, phase: AgreementPhase): void {
    transaction(this.#database, () => {
      this.#run("UPDATE agreement SET phase = ? WHERE id = ?", phase, agreementId);
      if (phase !== "ended") return;
      this.#run(
        `UPDATE session SET state = x'' WHERE agreement = ? AND state =
           (SELECT r.state FROM receipt AS r WHERE r.agreement = session.agreement AND r.passes = session.passes)`,
        agreementId,
      );
    });
  }

  /** @throws DeltapayError `agreement/unknown` */
  agreement(agreementId: Hex): StoredAgreement {
    const row = this.#get(
      "SELECT terms, phase, transaction_hash FROM agreement WHERE id = ?",
      agreementId.toLowerCase(),
    );
    ensure(row !== undefined, "agreement/unknown", `this buyer has no agreement ${agreementId}`, {
      field: "agreementId",
      hint: "use the data folder (--data) it was opened with",
    });
    return readAgreement(row);
  }

  /** All agreements, the newest last. */
  agreements(): StoredAgreement[] {
    return this.#all("SELECT terms, phase, transaction_hash FROM agreement ORDER BY rowid").map(
      readAgreement,
    );
  }

  /** Bytes of the session's state, an empty one being that of the receipt for as many passes; undefined before the first pass. */
  sessionState(agreementId: Hex): Uint8Array | undefined {
    const row = this.#get(
      `SELECT CASE length(s.state) WHEN 0 THEN r.state ELSE s.state END AS state FROM session AS s
       LEFT JOIN receipt AS r ON r.agreement = s.agreement AND r.passes = s.passes WHERE s.agreement = ?`,
      agreementId,
    );
    return row === undefined ? undefined : blob(row["state"]);
  }

  /** The pass begun and not finished. */
  pendingPass(agreementId: Hex, widths: readonly number[]): PendingPass | undefined {
    const row = this.#get("SELECT number, tokens, salt FROM pass WHERE agreement = ?", agreementId);
    if (row === undefined) return undefined;
    const tokens = Number(row["tokens"]);
    const inputs = this.#all("SELECT module, x FROM pass_input WHERE agreement = ?", agreementId).map(
      ({ module, x }): [number, Int16Array] => [
        Number(module),
        decodeActivations(blob(x), tokens * widths[Number(module)]!),
      ],
    );
    return { number: Number(row["number"]), tokens, salt: blob(row["salt"]), inputs: new Map(inputs) };
  }

  /**
   * Stores activations, and with the first the pass itself, before they are sent.
   * @throws DeltapayError `session/other-process` when another process uses this agreement
   */
  addInput(
    agreementId: Hex,
    pass: Omit<PendingPass, "inputs">,
    modules: readonly number[],
    X: Int16Array,
  ): void {
    const x = encodeActivations(X);
    transaction(this.#database, () => {
      this.#run(
        "INSERT OR IGNORE INTO pass (agreement, number, tokens, salt) VALUES (?, ?, ?, ?)",
        agreementId,
        pass.number,
        pass.tokens,
        pass.salt,
      );
      const row = this.#get("SELECT salt FROM pass WHERE agreement = ?", agreementId);
      ensure(row !== undefined && equalBytes(blob(row["salt"]), pass.salt), ...OTHER_PROCESS);
      for (const module of modules)
        this.#run("INSERT INTO pass_input (agreement, module, x) VALUES (?, ?, ?)", agreementId, module, x);
    });
  }

  /**
   * Replaces the session's state by the one after its pending pass, in one transaction.
   * @throws DeltapayError `session/other-process`
   */
  finishPass(
    agreementId: Hex,
    passes: number,
    state: Uint8Array,
    rank: { from: number; rows: readonly RankRow[] },
  ): void {
    transaction(this.#database, () => {
      const removed = this.#run("DELETE FROM pass WHERE agreement = ? AND number = ?", agreementId, passes);
      ensure(removed === 1, ...OTHER_PROCESS);
      const written = this.#run(
        `INSERT INTO session (agreement, passes, state) VALUES (?1, ?2, ?3)
         ON CONFLICT (agreement) DO UPDATE SET passes = ?2, state = ?3 WHERE passes = ?2 - 1`,
        agreementId,
        passes,
        state,
      );
      ensure(written === 1, ...OTHER_PROCESS);
      for (const [i, { pivot, row }] of rank.rows.entries())
        this.#run(
          "INSERT INTO rank_row (agreement, position, pivot, row) VALUES (?, ?, ?, ?)",
          agreementId,
          rank.from + i,
          pivot,
          new Uint8Array(row.buffer),
        );
    });
  }

  /** Forgets a pass that the contributor never saw. */
  dropPass(agreementId: Hex): void {
    this.#run("DELETE FROM pass WHERE agreement = ?", agreementId);
  }

  /** Rows of the echelon form of the activations shown. */
  rankRows(agreementId: Hex): RankRow[] {
    return this.#all(
      "SELECT pivot, row FROM rank_row WHERE agreement = ? ORDER BY position",
      agreementId,
    ).map(({ pivot, row }) => ({ pivot: Number(pivot), row: new Int32Array(blob(row).slice().buffer) }));
  }

  /** The receipt with the most passes. */
  lastReceipt(agreementId: Hex): StoredReceipt | undefined {
    const row = this.#get(
      "SELECT * FROM receipt WHERE agreement = ? ORDER BY passes DESC LIMIT 1",
      agreementId,
    );
    return row === undefined ? undefined : readReceipt(row);
  }

  /** All receipts in order of passes. */
  receipts(agreementId: Hex): StoredReceipt[] {
    return this.#all("SELECT * FROM receipt WHERE agreement = ? ORDER BY passes", agreementId).map(
      readReceipt,
    );
  }

  /**
   * Stores a receipt before it is sent.
   * @throws DeltapayError `receipt/conflict` when another one for as many passes, or one for more, is there
   */
  addReceipt(receipt: Receipt, signature: Hex, state: Uint8Array): void {
    const { agreementId, passes } = receipt;
    transaction(this.#database, () => {
      const last = this.lastReceipt(agreementId);
      ensure(
        last === undefined || last.receipt.passes < passes,
        "receipt/conflict",
        `a receipt for ${last?.receipt.passes} passes was already signed`,
        {
          field: "receipt.passes",
          hint: "the contributor settles that one: end the agreement",
        },
      );
      this.#run(
        "INSERT INTO receipt (agreement, passes, receipt, signature, state) VALUES (?, ?, ?, ?, ?)",
        agreementId,
        passes,
        stringifyMessage(receipt),
        signature,
        state,
      );
    });
  }

  /** Notes that the contributor has a receipt, and drops the states of earlier ones. */
  acceptReceipt(agreementId: Hex, passes: bigint): void {
    transaction(this.#database, () => {
      this.#run("UPDATE receipt SET accepted = 1 WHERE agreement = ? AND passes = ?", agreementId, passes);
      // Not those that have none: an agreement may have many thousands.
      this.#run(
        "UPDATE receipt SET state = NULL WHERE agreement = ? AND passes < ? AND state IS NOT NULL",
        agreementId,
        passes,
      );
    });
  }

  #run(sql: string, ...values: Value[]): number {
    return Number(this.#database.prepare(sql).run(...values).changes);
  }

  #get(sql: string, ...values: Value[]): Row | undefined {
    return this.#database.prepare(sql).get(...values);
  }

  #all(sql: string, ...values: Value[]): Row[] {
    return this.#database.prepare(sql).all(...values);
  }
}

type Value = string | number | bigint | Uint8Array;

const OTHER_PROCESS = [
  "session/other-process",
  "another process went on with this agreement",
  { field: "agreementId", hint: "use an agreement from one process at a time" },
] as const;
