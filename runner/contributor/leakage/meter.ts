/** What the answers of a service give away: measured, and bounded before a pass begins (docs/leakage.md). */
import type { Hex } from "../../protocol/bytes.ts";
import { asDeltapayError, DeltapayError } from "../../protocol/errors.ts";
import type { AdapterLayout } from "../../protocol/layout.ts";
import { extractionTokens } from "../../protocol/leakage.ts";
import type { ContributorData } from "../dataFolder.ts";
import type { OnEvent } from "../events.ts";
import { AgreementStore } from "../store/agreements.ts";
import { PassStore } from "../store/passes.ts";
import { readPolicy, tokensAllowed } from "./policy.ts";
import { RankMeter } from "./rankMeter.ts";
import { tokensSold } from "./sold.ts";

export interface LeakageMeterOptions {
  data: ContributorData;
  /** By adapter id, lower case. */
  adapters: ReadonlyMap<Hex, { layout: AdapterLayout }>;
  onEvent?: OnEvent;
}

export class LeakageMeter {
  readonly #options: LeakageMeterOptions;
  readonly #agreements: AgreementStore;
  readonly #passes: PassStore;
  readonly #ranks: RankMeter;
  /** Agreements whose newest pass, which a crash may have kept from the ranks, was looked at. */
  readonly #seen = new Set<Hex>();
  readonly #onError: (error: unknown, agreementId?: Hex) => void;
  #recovery: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: LeakageMeterOptions) {
    const { data, onEvent } = options;
    this.#options = options;
    this.#agreements = new AgreementStore(data.database);
    this.#passes = new PassStore(data.database);
    this.#onError = (cause, agreementId) =>
      onEvent?.({
        type: "failed",
        agreementId: agreementId ?? null,
        doing: "measuring the rank of activations",
        error: asDeltapayError(cause),
      });
    this.#ranks = new RankMeter(data.database, (cause) => this.#onError(cause));
  }

  /** Waits until the activations of earlier passes are taken in: their bytes go when the next pass begins. */
  async ready(agreementId: Hex): Promise<void> {
    if (!this.#seen.has(agreementId)) {
      this.#seen.add(agreementId);
      const answers = this.#passes.newest(agreementId)?.answers ?? new Map<number, { X: Int16Array }>();
      this.observe(agreementId, new Map([...answers].map(([module, { X }]) => [module, X])));
    }
    await this.#ranks.ready(agreementId);
  }

  /** Begins to measure what a crash kept from it, agreement by agreement; the newest pass of each is still on disk. */
  recover(): void {
    this.#recovery = this.#recover().catch(this.#onError);
  }

  async #recover(): Promise<void> {
    for (const agreementId of this.#agreements.ids(["serving", "ended", "proving"])) {
      if (this.#closed) return;
      // A row that cannot be read keeps no other from being measured.
      await this.ready(agreementId).catch((cause: unknown) => this.#onError(cause, agreementId));
    }
  }

  /** Takes in activations whose answers are stored. @param inputs T x d_in, by module */
  observe(agreementId: Hex, inputs: ReadonlyMap<number, Int16Array>): void {
    const { adapterId, buyer } = this.#agreements.get(agreementId);
    const layout = this.#options.adapters.get(adapterId)?.layout;
    if (layout !== undefined) this.#ranks.observe({ agreementId, adapterId, buyer, layout, inputs });
  }

  /** Waits until everything seen is measured; nothing more is to come. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#recovery;
    await this.#ranks.idle();
  }

  /**
   * Checks the owner's limits before a pass begins; tokens of passes under way count. What other buyers bought is in no
   * answer.
   * @throws DeltapayError `session/leakage-limit`
   */
  admit(agreementId: Hex, passTokens: number): void {
    const { data, adapters } = this.#options;
    const { adapterId, buyer } = this.#agreements.get(agreementId);
    const policy = readPolicy(data.database, adapterId);
    if (policy.past !== "refuse") return;
    const { layout } = adapters.get(adapterId)!;
    const left = tokensAllowed(layout, policy.maxBuyerRatio) - tokensSold(data.database, adapterId, buyer);
    const leftOfAll = tokensAllowed(layout, policy.maxRatio) - tokensSold(data.database, adapterId);
    if (passTokens <= left && passTokens <= leftOfAll) return;
    const own = passTokens > left;
    throw new DeltapayError(
      "session/leakage-limit",
      own
        ? `the adapter's owner sells ${tokensAllowed(layout, policy.maxBuyerRatio)} tokens to each buyer`
        : "the adapter's owner sells no more tokens of it: answers give the weights away",
      {
        field: "tokens",
        hint:
          own && left > 0
            ? `${left} are left`
            : "end the session: what was served is settled by the last receipt",
      },
    );
  }

  /** Tells the owner when a pass that has begun passed one of the policy's limits. */
  tellPast(agreementId: Hex, passTokens: number): void {
    const { data, adapters, onEvent } = this.#options;
    const { adapterId, buyer } = this.#agreements.get(agreementId);
    const { layout } = adapters.get(adapterId)!;
    const { maxRatio, maxBuyerRatio } = readPolicy(data.database, adapterId);
    for (const [of, ratio, sold] of [
      ["buyer", maxBuyerRatio, tokensSold(data.database, adapterId, buyer)],
      ["all", maxRatio, tokensSold(data.database, adapterId)],
    ] as const) {
      const allowed = tokensAllowed(layout, ratio);
      if (sold <= allowed || sold - passTokens > allowed) continue;
      const exact = sold / extractionTokens(layout);
      onEvent?.({ type: "leakage", agreementId, adapterId, of, tokensSold: sold, ratio: exact });
    }
  }
}
