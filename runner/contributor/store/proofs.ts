/** Proofs made and settlement transactions sent, so that an interrupted settlement goes on where it stopped. */
import type { DatabaseSync } from "node:sqlite";
import type { SentTransaction } from "../../chain/transact.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { type Claim, claimSchema, stringifyMessage } from "../../wire/messages.ts";
import { all, first, run } from "./rows.ts";

export class ProofStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Claims of the receipt that covers `passes`, by ascending group. */
  claims(agreementId: Hex, passes: bigint): Claim[] {
    return all<{ claim: string }>(
      this.#database,
      "SELECT claim FROM proof WHERE agreement_id = ? AND passes = ? ORDER BY group_index",
      agreementId,
      Number(passes),
    ).map(({ claim }) => claimSchema.parse(JSON.parse(claim)));
  }

  /** Adds a proof, unless another process has made one of this group meanwhile: that is as good. */
  add(agreementId: Hex, passes: bigint, claim: Claim, proveMs: number): void {
    run(
      this.#database,
      `INSERT INTO proof (agreement_id, passes, group_index, claim, prove_ms) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
      agreementId,
      Number(passes),
      claim.group,
      stringifyMessage(claim),
      proveMs,
    );
  }

  /**
   * Longest of the last hundred proofs but one, milliseconds: the process may have been stopped in the middle of that one.
   * Undefined before the first.
   */
  slowest(): number | undefined {
    const row = first<{ ms: number }>(
      this.#database,
      `WITH last AS (SELECT prove_ms AS ms FROM proof ORDER BY rowid DESC LIMIT 100)
       SELECT ms FROM last ORDER BY ms DESC LIMIT 1 OFFSET (SELECT count(*) > 1 FROM last)`,
    );
    return row?.ms;
  }

  /** Durable when it returns. */
  addTransaction(agreementId: Hex, passes: bigint, sent: SentTransaction): void {
    const { hash, from, nonce, maxFeePerGas, maxPriorityFeePerGas, sentAt } = sent;
    run(
      this.#database,
      `INSERT INTO settlement
         (agreement_id, passes, tx_hash, sent_at, sender, nonce, max_fee, priority_fee) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET sent_at = excluded.sent_at`,
      agreementId,
      Number(passes),
      hash,
      Math.floor(sentAt / 1000),
      from,
      nonce,
      maxFeePerGas.toString(),
      maxPriorityFeePerGas.toString(),
    );
  }

  /** The transaction sent last for a receipt; undefined also when an earlier version sent it and kept only its hash. */
  newestTransaction(agreementId: Hex, passes: bigint): SentTransaction | undefined {
    const row = first<{
      tx_hash: Hex;
      sent_at: number;
      sender: Hex;
      nonce: number;
      max_fee: string;
      priority_fee: string;
    }>(
      this.#database,
      `SELECT tx_hash, sent_at, sender, nonce, max_fee, priority_fee FROM settlement
       WHERE agreement_id = ? AND passes = ? AND nonce IS NOT NULL ORDER BY rowid DESC LIMIT 1`,
      agreementId,
      Number(passes),
    );
    return (
      row && {
        hash: row.tx_hash,
        from: row.sender,
        nonce: row.nonce,
        maxFeePerGas: BigInt(row.max_fee),
        maxPriorityFeePerGas: BigInt(row.priority_fee),
        sentAt: row.sent_at * 1000,
      }
    );
  }

  /** Settlement transactions of an agreement, in the order sent. */
  transactions(agreementId: Hex): Hex[] {
    return all<{ tx_hash: Hex }>(
      this.#database,
      "SELECT tx_hash FROM settlement WHERE agreement_id = ? ORDER BY rowid",
      agreementId,
    ).map(({ tx_hash }) => tx_hash);
  }
}
