/** Takes in the activations of answered requests, behind the answers: nobody waits for it but the buyer's next pass. */
import type { DatabaseSync } from "node:sqlite";
import type { Hex } from "../../protocol/bytes.ts";
import type { AdapterLayout } from "../../protocol/layout.ts";
import type { RankRow, RankTracker } from "../../protocol/leakage.ts";
import type { Address } from "../../protocol/typedData.ts";
import { transaction } from "../../storage/database.ts";
import { inSlices } from "../slices.ts";
import { type RankScope, RankStore } from "./rankStore.ts";

/** Entries of all bases of an adapter and buyer: a token costs as many products, 2 to 3 ms. */
const MAX_ENTRIES = 2 ** 20;
/** Rows kept in memory, of all buyers and adapters; others are read from disk when needed. */
const MAX_MEMORY = 64 * 2 ** 20;

/** Modules whose rank is measured: the narrowest first, as many as can be afforded. */
export function trackedModules({ modules }: Pick<AdapterLayout, "modules">): ReadonlySet<number> {
  const tracked = new Set<number>();
  let entries = 0;
  for (const m of [...modules.keys()].sort((a, b) => modules[a]!.dIn - modules[b]!.dIn)) {
    entries += modules[m]!.dIn ** 2;
    if (entries > MAX_ENTRIES) break;
    tracked.add(m);
  }
  return tracked;
}

/** Activations that were answered. */
export interface Seen {
  agreementId: Hex;
  adapterId: Hex;
  buyer: Address;
  layout: AdapterLayout;
  /** T x d_in, by module. */
  inputs: ReadonlyMap<number, Int16Array>;
}

interface Found {
  scope: RankScope;
  width: number;
  before: number;
  rows: RankRow[];
}

export class RankMeter {
  readonly #database: DatabaseSync;
  readonly #store: RankStore;
  readonly #onError: (error: unknown) => void;
  /** By scope; the one unused for longest first. */
  readonly #trackers = new Map<string, { tracker: RankTracker; width: number }>();
  readonly #waiting = new Map<Hex, Promise<void>>();
  #last: Promise<void> = Promise.resolve();

  /** @param onError hears of what could not be stored; answering does not depend on it */
  constructor(database: DatabaseSync, onError: (error: unknown) => void) {
    this.#database = database;
    this.#store = new RankStore(database);
    this.#onError = onError;
  }

  /** Takes activations in, in turn. Those seen before change nothing. */
  observe(seen: Seen): void {
    const done = this.#last.then(() => this.#takeIn(seen)).catch(this.#onError);
    this.#last = done;
    this.#waiting.set(seen.agreementId, done);
    void done.then(() => {
      if (this.#waiting.get(seen.agreementId) === done) this.#waiting.delete(seen.agreementId);
    });
  }

  /** Waits until all that was seen of an agreement is taken in. */
  async ready(agreementId: Hex): Promise<void> {
    await this.#waiting.get(agreementId);
  }

  /** Waits until all is. */
  idle(): Promise<void> {
    return this.#last;
  }

  async #takeIn(seen: Seen): Promise<void> {
    for (;;) {
      const found: Found[] = [];
      try {
        await inSlices(this.#steps(seen, found));
        // Also what only was read back, and showed nothing new, takes memory.
        if (found.length === 0 || this.#keep(found)) return this.#forgetSome();
      } catch (error) {
        this.#trackers.clear();
        throw error;
      }
      // Another process of this folder was faster: once more on what it left.
      this.#trackers.clear();
    }
  }

  *#steps({ adapterId, buyer, layout, inputs }: Seen, found: Found[]): Generator<void, void> {
    const tracked = trackedModules(layout);
    for (const [module, X] of inputs) {
      if (!tracked.has(module)) continue;
      const width = layout.modules[module]!.dIn;
      for (const who of [buyer, ""] as const) {
        const scope = { adapterId, buyer: who, module };
        if (this.#store.rank(scope) === width) continue;
        const tracker = this.#tracker(scope, width);
        const before = tracker.rank!;
        const rows: RankRow[] = [];
        for (let at = 0; at < X.length; at += width) {
          rows.push(...tracker.add(X.subarray(at, at + width)));
          yield;
        }
        if (rows.length > 0) found.push({ scope, width, before, rows });
      }
    }
  }

  #tracker(scope: RankScope, width: number): RankTracker {
    const key = `${scope.adapterId} ${scope.buyer} ${scope.module}`;
    const tracker = this.#trackers.get(key)?.tracker ?? this.#store.tracker(scope, width);
    // Again at the end.
    this.#trackers.delete(key);
    this.#trackers.set(key, { tracker, width });
    return tracker;
  }

  /** Durable when it returns true. */
  #keep(found: readonly Found[]): boolean {
    return transaction(this.#database, () =>
      found.every(({ scope, width, before, rows }) => this.#store.add(scope, width, before, rows)),
    );
  }

  /** Drops what has nothing left to measure, and the rest beyond the memory allowed. */
  #forgetSome(): void {
    let bytes = 0;
    for (const [key, { tracker, width }] of this.#trackers) {
      if (tracker.rank === width) this.#trackers.delete(key);
      else bytes += 4 * width * (tracker.rank ?? 0);
    }
    for (const [key, { tracker, width }] of this.#trackers) {
      if (bytes <= MAX_MEMORY) return;
      bytes -= 4 * width * (tracker.rank ?? 0);
      this.#trackers.delete(key);
    }
  }
}
