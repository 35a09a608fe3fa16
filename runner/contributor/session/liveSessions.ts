/**
 * Agreements under way: what is kept in memory of each, loaded from disk when asked for. Of many, only those asked for
 * lately are kept: what an agreement holds in memory must not be for its buyer to choose.
 */

import type { Hex } from "../../protocol/bytes.ts";
import type { KeyPoints } from "../../protocol/commitment.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import type { SessionState } from "../../protocol/fold.ts";
import { decodeProgress, decodeState } from "../../protocol/sessionState.ts";
import type { ServedAdapter } from "../adapters.ts";
import type { ContributorData } from "../dataFolder.ts";
import type { OnEvent } from "../events.ts";
import { findOffer, type StoredOffer } from "../offers.ts";
import { type AgreementRecord, AgreementStore, isOver } from "../store/agreements.ts";
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

/** Agreements kept in memory, each with a pass of at most `maxUnpaidTokens` tokens. */
const MOST_KEPT = 64;

export class LiveSessions {
  readonly agreements: AgreementStore;
  readonly receipts: ReceiptStore;
  readonly passes: PassStore;
  readonly #options: LiveSessionsOptions;
  /** Those asked for lately, the last one last. */
  readonly #recent = new Map<Hex, LiveSession>();
  /** Whatever anybody still works with: it must not be loaded a second time beside that. */
  readonly #inUse = new Map<Hex, WeakRef<LiveSession>>();
  readonly #collected = new FinalizationRegistry<Hex>((agreementId) => {
    if (this.#inUse.get(agreementId)?.deref() === undefined) this.#inUse.delete(agreementId);
  });

  constructor(options: LiveSessionsOptions) {
    const { database } = options.data;
    this.#options = options;
    this.agreements = new AgreementStore(database);
    this.receipts = new ReceiptStore(database);
    this.passes = new PassStore(database);
  }

  /** @throws DeltapayError `session/unknown-agreement`, `session/not-our-offer` */
  get(agreementId: Hex): LiveSession {
    const known = this.#recent.get(agreementId) ?? this.#inUse.get(agreementId)?.deref();
    if (known !== undefined) {
      this.#keep(agreementId, known);
      return known;
    }
    const record = this.agreements.get(agreementId);
    const live = this.#load(record);
    // One that is over changes no more: whoever asks for it again does not bring it back.
    if (isOver(record.phase)) return live;
    this.#inUse.set(agreementId, new WeakRef(live));
    this.#collected.register(live, agreementId);
    this.#keep(agreementId, live);
    return live;
  }

  /** The one asked for longest ago makes room. */
  #keep(agreementId: Hex, live: LiveSession): void {
    this.#recent.delete(agreementId);
    this.#recent.set(agreementId, live);
    if (this.#recent.size > MOST_KEPT) this.#recent.delete(this.#recent.keys().next().value!);
  }

  #load(record: AgreementRecord): LiveSession {
    const { agreementId } = record;
    const { adapter, offer } = this.#served(record);
    const newest = this.receipts.newest(agreementId)?.receipt;
    const stored = this.agreements.readState(agreementId);
    return {
      adapter,
      offer,
      // Nothing is computed any more of one that is over, and its buyer may look at it as often as it likes.
      state: isOver(record.phase)
        ? { ...decodeProgress(stored), lastSalt: new Uint8Array(), xBar: [], yBar: [] }
        : decodeState(adapter.layout, stored),
      pass: this.passes.newest(agreementId),
      covered: { passes: Number(newest?.passes ?? 0n), tokens: Number(newest?.tokens ?? 0n) },
    };
  }

  #served({ adapterId, offerHash }: AgreementRecord): Pick<LiveSession, "adapter" | "offer"> {
    const adapter = this.#options.adapters.get(adapterId);
    const offer = findOffer(this.#options.data, offerHash);
    if (adapter === undefined || offer === undefined)
      throw new DeltapayError("session/not-our-offer", "the adapter of this agreement is not served now", {
        field: "agreementId",
      });
    return { adapter, offer };
  }

  /** What bounds an agreement and how much of it is used, in tokens; of any agreement, without taking it into memory. */
  usage(agreementId: Hex): Pick<LiveSession, "adapter" | "offer"> & { tokens: bigint; covered: bigint } {
    const record = this.agreements.get(agreementId);
    const covered = this.receipts.newest(agreementId)?.receipt.tokens ?? 0n;
    return { ...this.#served(record), tokens: BigInt(record.tokens), covered };
  }

  /** Drops what is in memory of an agreement that is over. */
  forget(agreementId: Hex): void {
    this.#recent.delete(agreementId);
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
