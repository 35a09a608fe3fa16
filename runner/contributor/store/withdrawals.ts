/** Withdrawals sent, so that one that was interrupted is found again rather than sent twice. */
import type { DatabaseSync } from "node:sqlite";
import type { SentTransaction } from "../../chain/transact.ts";
import type { Hex } from "../../protocol/bytes.ts";
import type { Address } from "../../protocol/typedData.ts";
import { first, run } from "./rows.ts";

export class WithdrawalStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Durable when it returns. */
  add(token: Address, to: Address, sent: SentTransaction): void {
    run(
      this.#database,
      `INSERT INTO withdrawal (tx_hash, token, recipient, sender, nonce, max_fee, priority_fee, sent_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET sent_at = excluded.sent_at`,
      sent.hash,
      token,
      to,
      sent.from,
      sent.nonce,
      sent.maxFeePerGas.toString(),
      sent.maxPriorityFeePerGas.toString(),
      Math.floor(sent.sentAt / 1000),
    );
  }

  /** The transaction sent last of which it is not known what became. */
  open(token: Address): SentTransaction | undefined {
    const row = first<{
      tx_hash: Hex;
      sender: Hex;
      nonce: number;
      max_fee: string;
      priority_fee: string;
      sent_at: number;
    }>(
      this.#database,
      "SELECT * FROM withdrawal WHERE token = ? AND is_over = 0 ORDER BY rowid DESC LIMIT 1",
      token,
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

  /** Everything sent of a token is mined or can no longer be. */
  close(token: Address): void {
    run(this.#database, "UPDATE withdrawal SET is_over = 1 WHERE token = ?", token);
  }
}
