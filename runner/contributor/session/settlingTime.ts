/** How long settling an agreement takes, with all that is settled before it. */
import type { Hex } from "../../protocol/bytes.ts";
import type { ServedAdapter } from "../adapters.ts";
import type { Queue } from "../margin.ts";
import type { AgreementStore } from "../store/agreements.ts";

export interface SettlingTimeOptions {
  agreements: AgreementStore;
  /** By adapter id, lower case. */
  adapters: ReadonlyMap<Hex, ServedAdapter>;
  /** Seconds to prove and settle an adapter's receipt after a queue. */
  margin: (adapter: ServedAdapter, queue: Queue) => bigint;
}

export class SettlingTime {
  readonly #options: SettlingTimeOptions;

  constructor(options: SettlingTimeOptions) {
    this.#options = options;
  }

  /** Seconds to settle an agreement due at `by`, after those that are settled before it. */
  margin(agreementId: Hex, adapter: ServedAdapter, by: bigint): bigint {
    return this.#after(this.#options.agreements.adaptersDueBefore(agreementId, by), adapter);
  }

  /**
   * Seconds to settle an agreement when all buyers close at `now`, after those whose time runs out no later. One party
   * may have opened them all.
   */
  marginIfAllClose(agreementId: Hex, adapter: ServedAdapter, now: bigint, closeWindow: bigint): bigint {
    const { agreements } = this.#options;
    return this.#after(agreements.adaptersDueBefore(agreementId, now + closeWindow, now), adapter);
  }

  #after(earlier: readonly Hex[], adapter: ServedAdapter): bigint {
    const { adapters, margin } = this.#options;
    const before = earlier.map((adapterId) => adapters.get(adapterId)).filter((other) => other !== undefined);
    const groups = before.reduce((sum, { layout }) => sum + layout.groups, 0);
    return margin(adapter, { agreements: before.length, groups });
  }
}
