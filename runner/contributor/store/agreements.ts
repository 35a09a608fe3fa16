/** Agreements served: identity, terms, phase and the folded state of everything served so far. */
import type { DatabaseSync } from "node:sqlite";
import type { Hex } from "../../protocol/bytes.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import type { Address } from "../../protocol/typedData.ts";
import { transaction } from "../../storage/database.ts";
import type { SessionView } from "../../wire/messages.ts";
import { PassStore } from "./passes.ts";
import { all, first, nowSeconds, run } from "./rows.ts";

export type Phase = SessionView["phase"];

/** Last second a deadline may have to be kept here: the escrow takes any uint64, numbers are exact only below 2^53. */
export const LATEST_DEADLINE = 2n ** 40n;

export interface AgreementRecord {
  agreementId: Hex;
  adapterId: Hex;
  offerHash: Hex;
  buyer: Address;
  signer: Address;
  pricePerToken: bigint;
  amount: bigint;
  /** Seconds, as of opening; `close` on chain can bring it forward. */
  deadline: number;
  phase: Phase;
  /** Why it is no longer served. */
  reason: string | null;
  /** A wrong receipt came, or an answer given here was wrong: nothing more is served or accepted. */
  receiptsStopped: boolean;
  /** Finished passes and their tokens. */
  passes: number;
  tokens: number;
  /** Transaction that completed the settlement. */
  settlement: Hex | null;
}

interface Row {
  agreement_id: Hex;
  adapter_id: Hex;
  offer_hash: Hex;
  buyer: Address;
  signer: Address;
  price: string;
  amount: string;
  deadline: number;
  phase: Phase;
  reason: string | null;
  wrong_receipt: number;
  passes: number;
  tokens: number;
  settlement: Hex | null;
}

// Earlier versions stored any deadline; SQLite hands out no number that is not exact.
const COLUMNS = `agreement_id, adapter_id, offer_hash, buyer, signer, price, amount,
  min(deadline, ${LATEST_DEADLINE}) AS deadline, phase, reason, wrong_receipt, passes, tokens, settlement`;

function fromRow(row: Row): AgreementRecord {
  return {
    agreementId: row.agreement_id,
    adapterId: row.adapter_id,
    offerHash: row.offer_hash,
    buyer: row.buyer,
    signer: row.signer,
    pricePerToken: BigInt(row.price),
    amount: BigInt(row.amount),
    deadline: row.deadline,
    phase: row.phase,
    reason: row.reason,
    receiptsStopped: row.wrong_receipt === 1,
    passes: row.passes,
    tokens: row.tokens,
    settlement: row.settlement,
  };
}

function quoted(phases: readonly Phase[]): string {
  return phases.map((phase) => `'${phase}'`).join(", ");
}

/** Whether nothing more comes of an agreement, unless its settlement is undone. */
export function isOver(phase: Phase): boolean {
  return phase === "settled" || phase === "closed";
}

export class AgreementStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  find(agreementId: Hex): AgreementRecord | undefined {
    const row = first<Row>(
      this.#database,
      `SELECT ${COLUMNS} FROM agreement WHERE agreement_id = ?`,
      agreementId,
    );
    return row === undefined ? undefined : fromRow(row);
  }

  /** @throws DeltapayError `session/unknown-agreement` */
  get(agreementId: Hex): AgreementRecord {
    const found = this.find(agreementId);
    if (found === undefined)
      throw new DeltapayError("session/unknown-agreement", `no agreement ${agreementId} was served here`, {
        field: "agreementId",
        hint: "deltapay status lists them; --data names another data folder",
      });
    return found;
  }

  /** All, oldest first; of some phases only when given. */
  list(phases?: readonly Phase[]): AgreementRecord[] {
    return all<Row>(this.#database, `SELECT ${COLUMNS} FROM agreement ORDER BY created_at, rowid`)
      .map(fromRow)
      .filter(({ phase }) => phases === undefined || phases.includes(phase));
  }

  /** Adds an agreement before its first pass; one that is there stays as it is. */
  add(
    agreement: Pick<
      AgreementRecord,
      "agreementId" | "adapterId" | "offerHash" | "buyer" | "signer" | "pricePerToken" | "amount" | "deadline"
    >,
    state: Uint8Array,
  ): void {
    run(
      this.#database,
      `INSERT INTO agreement
         (agreement_id, adapter_id, offer_hash, buyer, signer, price, amount, deadline, state, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      agreement.agreementId,
      agreement.adapterId,
      agreement.offerHash,
      agreement.buyer,
      agreement.signer,
      agreement.pricePerToken.toString(),
      agreement.amount.toString(),
      agreement.deadline,
      state,
      nowSeconds(),
    );
  }

  /** Encoded session state after the last finished pass; an empty one stands for that of the receipt for as many passes. */
  readState(agreementId: Hex): Uint8Array {
    return first<{ state: Uint8Array }>(
      this.#database,
      `SELECT CASE length(a.state) WHEN 0 THEN r.state ELSE a.state END AS state FROM agreement AS a
       LEFT JOIN receipt AS r ON r.agreement_id = a.agreement_id AND r.passes = a.passes WHERE a.agreement_id = ?`,
      agreementId,
    )!.state;
  }

  writeState(agreementId: Hex, passes: number, tokens: number, state: Uint8Array): void {
    run(
      this.#database,
      "UPDATE agreement SET passes = ?, tokens = ?, state = ? WHERE agreement_id = ?",
      passes,
      tokens,
      state,
      agreementId,
    );
  }

  /**
   * Moves an agreement on, unless it is not in one of the phases `from`. With its end the answers of its last pass go, by
   * far the most that is stored of it: they are for repeats, and neither proof nor settlement needs them. So does its
   * state where its newest receipt holds the same one.
   * @returns whether it moved
   */
  move(agreementId: Hex, from: readonly Phase[], to: Phase, reason: string | null = null): boolean {
    if (!isOver(to)) return this.#move(agreementId, from, to, reason);
    return transaction(this.#database, () => {
      const moved = this.#move(agreementId, from, to, reason);
      if (!moved) return false;
      new PassStore(this.#database).forgetAnswers(agreementId);
      run(
        this.#database,
        `UPDATE agreement SET state = x'' WHERE agreement_id = ? AND state =
           (SELECT r.state FROM receipt AS r WHERE r.agreement_id = agreement.agreement_id AND r.passes = agreement.passes)`,
        agreementId,
      );
      return true;
    });
  }

  #move(agreementId: Hex, from: readonly Phase[], to: Phase, reason: string | null): boolean {
    return (
      run(
        this.#database,
        `UPDATE agreement SET phase = ?, reason = coalesce(?, reason)
         WHERE agreement_id = ? AND phase IN (${quoted(from)})`,
        to,
        reason,
        agreementId,
      ) === 1
    );
  }

  /**
   * Ids of agreements of some phases, the earliest deadline first.
   * @param dueFrom unix seconds; those with an earlier deadline are left out
   */
  ids(phases: readonly Phase[], dueFrom = 0): Hex[] {
    return all<{ agreement_id: Hex }>(
      this.#database,
      `SELECT agreement_id FROM agreement WHERE phase IN (${quoted(phases)}) AND deadline >= ?
       ORDER BY deadline, rowid`,
      dueFrom,
    ).map(({ agreement_id }) => agreement_id);
  }

  /**
   * Adapters of the other agreements that are proven before one due at `by`, one entry an agreement: those under way that
   * are due no later; those that ended and have a receipt or may still get one, since a close may have made them due
   * earlier than is known here. None whose deadline has passed, which a service that does not settle by itself keeps.
   * @param closedAt every buyer closes at that time, unix seconds: an agreement is then due its closeWindow later
   */
  adaptersDueBefore(agreementId: Hex, by: bigint, closedAt: bigint = LATEST_DEADLINE): Hex[] {
    const bounded = (time: bigint): bigint => (time < LATEST_DEADLINE ? time : LATEST_DEADLINE);
    return all<{ adapter_id: Hex }>(
      this.#database,
      `SELECT a.adapter_id FROM agreement AS a JOIN offer AS o USING (offer_hash)
       WHERE agreement_id <> ? AND deadline >= ? AND (
         (phase = 'serving' AND EXISTS (SELECT 1 FROM pass AS p WHERE p.agreement_id = a.agreement_id)
          AND min(deadline, ? + CAST(json_extract(o.terms, '$.offer.closeWindow') AS INTEGER)) <= ?)
         OR (phase = 'ended' AND (EXISTS (SELECT 1 FROM receipt AS r WHERE r.agreement_id = a.agreement_id)
          OR (wrong_receipt = 0 AND EXISTS (SELECT 1 FROM pass AS p WHERE p.agreement_id = a.agreement_id))))
         OR (phase = 'proving' AND NOT EXISTS (SELECT 1 FROM settlement AS s WHERE s.agreement_id = a.agreement_id)))`,
      agreementId,
      nowSeconds(),
      bounded(closedAt),
      bounded(by),
    ).map(({ adapter_id }) => adapter_id);
  }

  stopReceipts(agreementId: Hex): void {
    run(this.#database, "UPDATE agreement SET wrong_receipt = 1 WHERE agreement_id = ?", agreementId);
  }

  setSettlement(agreementId: Hex, txHash: Hex | null): void {
    run(this.#database, "UPDATE agreement SET settlement = ? WHERE agreement_id = ?", txHash, agreementId);
  }
}
