/** Receipts accepted, with what they were checked and will be proven with; receipts refused, as evidence. */
import type { DatabaseSync } from "node:sqlite";
import type { Hex } from "../../protocol/bytes.ts";
import { POINT_BYTES, pointAt } from "../../protocol/curve.ts";
import type { Receipt } from "../../protocol/typedData.ts";
import { stringifyMessage } from "../../wire/messages.ts";
import { all, first, nowSeconds, run } from "./rows.ts";

export interface StoredReceipt {
  receipt: Receipt;
  signature: Hex;
  /** V of every group, 64 bytes big-endian each. */
  statements: Uint8Array[];
}

export interface RefusedReceipt {
  code: string;
  receipt: string;
  signature: string;
  refusedAt: number;
}

interface Row {
  agreement_id: Hex;
  passes: number;
  tokens: number;
  head: Hex;
  statements_hash: Hex;
  signature: Hex;
  statements: Uint8Array;
}

function fromRow(row: Row | undefined): StoredReceipt | undefined {
  if (row === undefined) return undefined;
  return {
    receipt: {
      agreementId: row.agreement_id,
      passes: BigInt(row.passes),
      tokens: BigInt(row.tokens),
      head: row.head,
      statementsHash: row.statements_hash,
    },
    signature: row.signature,
    statements: Array.from({ length: row.statements.length / POINT_BYTES }, (_, g) =>
      pointAt(row.statements, g),
    ),
  };
}

export class ReceiptStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** The receipt that covers most. */
  newest(agreementId: Hex): StoredReceipt | undefined {
    return fromRow(
      first<Row>(
        this.#database,
        "SELECT * FROM receipt WHERE agreement_id = ? ORDER BY passes DESC LIMIT 1",
        agreementId,
      ),
    );
  }

  /** The receipt that covers exactly so many passes. */
  find(agreementId: Hex, passes: bigint): StoredReceipt | undefined {
    return fromRow(
      first<Row>(
        this.#database,
        "SELECT * FROM receipt WHERE agreement_id = ? AND passes = ?",
        agreementId,
        Number(passes),
      ),
    );
  }

  /** Encoded session state of the newest receipt. */
  readState(agreementId: Hex): Uint8Array | undefined {
    return first<{ state: Uint8Array }>(
      this.#database,
      `SELECT state FROM receipt WHERE agreement_id = ? AND state IS NOT NULL ORDER BY passes DESC LIMIT 1`,
      agreementId,
    )?.state;
  }

  /** Adds a receipt that covers more than all before; their states are no longer needed. */
  add({ receipt, signature, statements }: StoredReceipt, state: Uint8Array): void {
    // Only the newest has one: an agreement may have many thousands. Another process may have taken a newer one.
    run(
      this.#database,
      `UPDATE receipt SET state = NULL WHERE agreement_id = ?1 AND passes < ?2
       AND passes = (SELECT max(passes) FROM receipt WHERE agreement_id = ?1)`,
      receipt.agreementId,
      Number(receipt.passes),
    );
    run(
      this.#database,
      `INSERT INTO receipt
         (agreement_id, passes, tokens, head, statements_hash, signature, statements, state, accepted_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      receipt.agreementId,
      Number(receipt.passes),
      Number(receipt.tokens),
      receipt.head,
      receipt.statementsHash,
      signature,
      Buffer.concat(statements),
      state,
      nowSeconds(),
    );
  }

  refuse(agreementId: Hex, code: string, receipt: Receipt, signature: Hex): void {
    run(
      this.#database,
      `INSERT INTO refused_receipt (agreement_id, code, receipt, signature, refused_at) VALUES (?, ?, ?, ?, ?)`,
      agreementId,
      code,
      stringifyMessage(receipt),
      signature,
      nowSeconds(),
    );
  }

  refused(agreementId: Hex): RefusedReceipt[] {
    return all<{ code: string; receipt: string; signature: string; refused_at: number }>(
      this.#database,
      "SELECT code, receipt, signature, refused_at FROM refused_receipt WHERE agreement_id = ? ORDER BY id",
      agreementId,
    ).map(({ refused_at, ...row }) => ({ ...row, refusedAt: refused_at }));
  }
}
