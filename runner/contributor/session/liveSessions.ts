/** Agreements under way: what is kept in memory of each, loaded from disk when first asked for. */

import type { Hex } from "../../protocol/bytes.ts";
import type { KeyPoints } from "../../protocol/commitment.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import type { SessionState } from "../../protocol/fold.ts";
import { decodeState } from "../../protocol/sessionState.ts";
import type { ServedAdapter } from "../adapters.ts";
import type { ContributorData } from "../dataFolder.ts";
import type { OnEvent } from "../events.ts";
import { findOffer, type StoredOffer } from "../offers.ts";
import { type AgreementRecord, AgreementStore } from "../store/agreements.ts";
import { PassStore, type StoredPass } from "../store/passes.ts";
import { ReceiptStore } from "../store/receipts.ts";

/** An adapter with the key its statements are computed over. */
export interface SessionAdapter extends ServedAdapter {
  key: KeyPoints;
}

/** What is kept in memory of an agreement under way. */
export interface LiveSession {
  adapter: SessionAdapter;
  offer: StoredOffer;
  state: SessionState;
  /** The newest pass, finished or not. */
  pass: StoredPass | undefined;
  /** What the newest receipt covers. */
  covered: { passes: number; tokens: number };
}

export interface LiveSessionsOptions {
  data: ContributorData;
  /** By adapter id, lower case. */
  adapters: ReadonlyMap<Hex, SessionAdapter>;
  onEvent?: OnEvent;
}

export class LiveSessions {
  readonly agreements: AgreementStore;
  readonly receipts: ReceiptStore;
  readonly passes: PassStore;
  readonly #options: LiveSessionsOptions;
  readonly #live = new Map<Hex, LiveSession>();

  constructor(options: LiveSessionsOptions) {
    const { database } = options.data;
    this.#options = options;
    this.agreements = new AgreementStore(database);
    this.receipts = new ReceiptStore(database);
    this.passes = new PassStore(database);
  }

  /** @throws DeltapayError `session/unknown-agreement`, `session/not-our-offer` */
  get(agreementId: Hex): LiveSession {
    const known = this.#live.get(agreementId);
    if (known !== undefined) return known;
    const live = this.#load(this.agreements.get(agreementId));
    this.#live.set(agreementId, live);
    return live;
  }

  #load({ agreementId, adapterId, offerHash }: AgreementRecord): LiveSession {
    const adapter = this.#options.adapters.get(adapterId);
    const offer = findOffer(this.#options.data, offerHash);
    if (adapter === undefined || offer === undefined)
      throw new DeltapayError("session/not-our-offer", "the adapter of this agreement is not served now", {
        field: "agreementId",
      });
    const newest = this.receipts.newest(agreementId)?.receipt;
    return {
      adapter,
      offer,
      state: decodeState(adapter.layout, this.agreements.readState(agreementId)),
      pass: this.passes.newest(agreementId),
      covered: { passes: Number(newest?.passes ?? 0n), tokens: Number(newest?.tokens ?? 0n) },
    };
  }

  /** Drops what is in memory of an agreement that is over. */
  forget(agreementId: Hex): void {
    this.#live.delete(agreementId);
  }

  /** @throws DeltapayError `session/ended` */
  requireServing(agreementId: Hex): AgreementRecord {
    const record = this.agreements.get(agreementId);
    if (record.phase !== "serving")
      throw new DeltapayError("session/ended", `this agreement is no longer served: ${record.reason}`, {
        hint: "open a new agreement",
      });
    return record;
  }

  /** Stops serving an agreement; what a receipt covers can be proven and settled. */
  endServing(agreementId: Hex, reason: string): void {
    if (this.agreements.move(agreementId, ["serving"], "ended", reason))
      this.#options.onEvent?.({ type: "ended", agreementId, reason });
  }
}
