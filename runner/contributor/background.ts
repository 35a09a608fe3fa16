/** What the service does without being asked: watching, settling, reviewing, withdrawing, reading offers. */

import { isLocalChain } from "../chain/localChain.ts";
import type { Hex } from "../protocol/bytes.ts";
import { asDeltapayError } from "../protocol/errors.ts";
import type { ContributorChain } from "./chainView.ts";
import type { ContributorData } from "./dataFolder.ts";
import type { OnEvent } from "./events.ts";
import { Lifecycle } from "./lifecycle.ts";
import { type Loop, repeat } from "./loops.ts";
import { receiptGrace } from "./margin.ts";
import type { ServiceContent } from "./publicContent.ts";
import { Review } from "./review.ts";
import type { SessionAdapter } from "./session/liveSessions.ts";
import type { Sessions } from "./sessions.ts";
import type { Settlement } from "./settlement.ts";
import type { AgreementRecord } from "./store/agreements.ts";
import { Withdrawals, type WithdrawalTerms } from "./withdrawals.ts";

export interface LoopOptions {
  data: ContributorData;
  chain: ContributorChain;
  /** Prove and settle when a session ends. Default true. */
  settle?: boolean;
  /** Ends, and settles, an agreement with a receipt when nothing was asked for so many seconds. Default: never. */
  idleSeconds?: number;
  /** Take out what was earned, by itself. */
  withdraw?: WithdrawalTerms;
  /** Milliseconds between looks at the agreements. Default 250 on a local chain, else 10 s. */
  pollMs?: number;
  onEvent?: OnEvent;
}

/** Watching, settling, and reading offers, until stopped; `stop` waits for what is under way. */
export async function startLoops(
  options: LoopOptions,
  sessions: Sessions,
  settlement: Settlement,
  adapters: ReadonlyMap<Hex, SessionAdapter>,
  content: ServiceContent,
): Promise<Loop> {
  const { onEvent = () => {} } = options;
  const isLocal = isLocalChain(options.chain.chainId);
  const pollMs = options.pollMs ?? (isLocal ? 250 : 10_000);
  const isServed = ({ adapterId }: AgreementRecord): boolean => adapters.has(adapterId);
  const watched = { sessions, settlement, isServed, onEvent };
  const lifecycle = new Lifecycle({
    ...watched,
    receiptGrace: receiptGrace(isLocal),
    ...(options.idleSeconds === undefined ? {} : { idleSeconds: options.idleSeconds }),
  });
  const repeated = (doing: string, work: () => Promise<void>, pause: number): Loop =>
    repeat(work, pause, (error) =>
      onEvent({ type: "failed", agreementId: null, doing, error: asDeltapayError(error) }),
    );
  const loops = [
    repeated("watching agreements", () => lifecycle.watchServing(), pollMs),
    // offers made meanwhile by the command line
    repeated("reading offers", async () => content.refresh(), 1000),
  ];
  if (options.settle !== false) {
    await lifecycle.tellNotServed();
    const review = new Review(watched);
    loops.push(
      repeated("settling agreements", () => lifecycle.settleEnded(), pollMs),
      repeated("reviewing settlements", () => review.run(), isLocal ? 1000 : 600_000),
    );
  }
  if (options.withdraw !== undefined) {
    const withdrawals = new Withdrawals({ ...options, terms: options.withdraw, onEvent });
    loops.push(repeated("withdrawing", () => withdrawals.run(), isLocal ? 1000 : 60_000));
  }
  return {
    stop: async () => {
      lifecycle.stop();
      await Promise.all(loops.map((loop) => loop.stop()));
      await lifecycle.idle();
    },
  };
}
