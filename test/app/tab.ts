/** One tab of the page without a browser: a wallet that signs with a test account, and storage and locks all tabs share. */

import type { Locks } from "../../app/src/transactions/exclusive.ts";
import type { Sending } from "../../app/src/transactions/send.ts";
import { type RecordStorage, TransactionStore } from "../../app/src/transactions/store.ts";
import type { ChainContext } from "../../runner/chain/connect.ts";
import { requireSender } from "../../runner/chain/transact.ts";

/** What localStorage and navigator.locks are to the tabs of one browser. */
export class Browser implements RecordStorage, Locks {
  readonly items = new Map<string, string>();
  readonly #held = new Set<string>();

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }

  removeItem(key: string): void {
    this.items.delete(key);
  }

  async request<Result>(
    name: string,
    _: { ifAvailable: true },
    work: (lock: unknown) => Promise<Result>,
  ): Promise<Result> {
    if (this.#held.has(name)) return work(null);
    this.#held.add(name);
    try {
      return await work({ name });
    } finally {
      this.#held.delete(name);
    }
  }

  /** What happens to the locks of a tab that goes away. */
  freeLocks(): void {
    this.#held.clear();
  }
}

export interface Tab extends Sending {
  /** How often the wallet was asked. */
  asked: number;
  /** What the wallet does instead of sending; undefined lets it send. */
  behave: ((send: () => Promise<`0x${string}`>) => Promise<`0x${string}`>) | undefined;
}

/** The same tab whose node answers about contracts as of an earlier block, and of transactions as it is. */
export function lagging<Kind extends Sending>(tab: Kind, blockNumber: bigint): Kind {
  const { publicClient } = tab.ctx;
  const readContract = ((query: Parameters<typeof publicClient.readContract>[0]) =>
    publicClient.readContract({ ...query, blockNumber } as typeof query)) as typeof publicClient.readContract;
  return { ...tab, ctx: { ...tab.ctx, publicClient: { ...publicClient, readContract } } };
}

/** What is followed longer than this is followed for ever. */
const PATIENCE_MS = 8000;

/** A tab of `browser` whose wallet holds the account of `ctx`. */
export function openTab(
  browser: Browser,
  ctx: ChainContext,
  signal: AbortSignal = AbortSignal.timeout(PATIENCE_MS),
): Tab {
  const { account, walletClient } = requireSender(ctx);
  const tab: Tab = {
    asked: 0,
    behave: undefined,
    ctx,
    store: new TransactionStore(browser, `${ctx.chainId}:${ctx.deployment.escrow}:${account.address}`),
    locks: browser,
    pollMs: 20,
    signal,
    wallet: {
      address: account.address,
      send: (call) => {
        tab.asked++;
        const send = (): Promise<`0x${string}`> => walletClient.sendTransaction(call);
        return tab.behave === undefined ? send() : tab.behave(send);
      },
    },
  };
  return tab;
}
