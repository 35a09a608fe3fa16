/** What one run of the gateway may spend, and has. */
import type { RemoteAdapter } from "../buyer/session/remoteAdapter.ts";
import type { Address } from "../protocol/typedData.ts";
import { GatewayError } from "./errors.ts";

export type PaidAdapter = Pick<RemoteAdapter, "agreementId" | "terms" | "progress">;

/** Money of one agreement, smallest unit of its token. */
export interface Account {
  agreementId: string;
  adapterId: string;
  token: Address;
  pricePerToken: string;
  /** Tokens and their price in this run. */
  tokensPaid: number;
  spent: string;
  /** In all, to be settled. */
  owed: string;
  passes: number;
  tokensLeft: number;
}

export class Purse {
  readonly #adapters: readonly PaidAdapter[];
  readonly #budget: bigint | undefined;
  readonly #before: readonly number[];

  /** @param budget most that this run may cost over all agreements, smallest unit; all have the same token then */
  constructor(adapters: readonly PaidAdapter[], budget: bigint | undefined) {
    this.#adapters = adapters;
    this.#budget = budget;
    this.#before = adapters.map(({ progress }) => progress.tokens);
  }

  /** null without a budget. */
  get left(): bigint | null {
    if (this.#budget === undefined) return null;
    return this.#budget - this.#adapters.reduce((sum, _, a) => sum + this.#spent(a), 0n);
  }

  /** @throws GatewayError 402 before a pass that would cost more than is left */
  require(tokens: number): void {
    const { left } = this;
    if (left === null) return;
    const cost = this.#adapters.reduce(
      (sum, { terms }) => sum + BigInt(tokens) * terms.offer.pricePerToken,
      0n,
    );
    if (cost > left)
      throw new GatewayError(
        402,
        "budget_exceeded",
        `a pass of ${tokens} tokens costs ${cost}, ${left} of this run's budget is left: start the gateway with a larger --budget`,
      );
  }

  accounts(): Account[] {
    return this.#adapters.map(({ agreementId, terms, progress }, a) => ({
      agreementId,
      adapterId: terms.offer.adapterId,
      token: terms.offer.token,
      pricePerToken: String(terms.offer.pricePerToken),
      tokensPaid: progress.tokens - this.#before[a]!,
      spent: String(this.#spent(a)),
      owed: String(BigInt(progress.tokens) * terms.offer.pricePerToken),
      passes: progress.passes,
      tokensLeft: progress.tokensLeft,
    }));
  }

  #spent(a: number): bigint {
    const { progress, terms } = this.#adapters[a]!;
    return BigInt(progress.tokens - this.#before[a]!) * terms.offer.pricePerToken;
  }
}
