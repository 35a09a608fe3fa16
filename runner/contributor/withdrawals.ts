/** What settlements have credited is taken out by itself once it is worth a transaction. */
import { DeltapayError } from "../protocol/errors.ts";
import type { Address } from "../protocol/typedData.ts";
import type { ContributorChain } from "./chainView.ts";
import type { ContributorData } from "./dataFolder.ts";
import type { OnEvent } from "./events.ts";
import { WithdrawalStore } from "./store/withdrawals.ts";

export interface WithdrawalTerms {
  /** Zero for ETH. */
  token: Address;
  to: Address;
  /** Credit from which on it is taken out, smallest unit. */
  at: bigint;
}

export interface WithdrawalsOptions {
  data: ContributorData;
  chain: ContributorChain;
  terms: WithdrawalTerms;
  onEvent?: OnEvent;
}

export class Withdrawals {
  readonly #options: WithdrawalsOptions;
  readonly #store: WithdrawalStore;

  constructor(options: WithdrawalsOptions) {
    this.#options = options;
    this.#store = new WithdrawalStore(options.data.database);
  }

  /** Withdraws if there is enough, or goes on with a withdrawal that was interrupted. @throws what the chain says */
  async run(): Promise<void> {
    const { chain, terms, onEvent } = this.#options;
    const { token, to, at } = terms;
    const earlier = this.#store.open(token);
    if (earlier === undefined && (await chain.credit(token)) < at) return;
    try {
      const withdrawn = await chain.withdraw(token, to, {
        ...(earlier && { earlier }),
        onSent: (sent) => this.#store.add(token, to, sent),
      });
      this.#store.close(token);
      onEvent?.({ type: "withdrawn", token, ...withdrawn });
    } catch (error) {
      // The escrow has nothing to give: what was sent is over, one way or the other.
      if (error instanceof DeltapayError && error.code.startsWith("contract/")) this.#store.close(token);
      throw error;
    }
  }
}
