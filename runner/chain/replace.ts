/** A transaction that an earlier try sent and nobody saw mined: waited for, then replaced by one that pays more. */
import { setTimeout as sleep } from "node:timers/promises";
import { TransactionNotFoundError } from "viem";
import { DeltapayError } from "../protocol/errors.ts";
import type { ChainConnection } from "./connection.ts";
import { onChain } from "./errors.ts";
import { type Fees, requireSender, type SentTransaction } from "./transact.ts";

/** What bids so many times the market is not stuck for its fee: raising it further only costs. */
const MOST_TIMES_MARKET = 10n;

/** At least an eighth more, which every node accepts in place of the first. */
function raised(fee: bigint): bigint {
  return (fee * 9n) / 8n + 1n;
}

/** Whether a node has the transaction in its pool or a block. */
async function isKnown({ publicClient }: ChainConnection, { hash }: SentTransaction): Promise<boolean> {
  try {
    await publicClient.getTransaction({ hash });
    return true;
  } catch (error) {
    if (error instanceof TransactionNotFoundError) return false;
    throw error;
  }
}

/**
 * Waits until an earlier transaction is mined, or its time is over.
 * @param waitMs milliseconds it may take, from when it was sent
 * @returns undefined when its nonce is used, by it or another: the chain tells what is left to do; else what to replace
 * @throws DeltapayError `chain/queued` behind another transaction that is not mined, `chain/stuck` whatever it pays, `chain/...`
 */
export async function waitForEarlier(
  chain: ChainConnection,
  earlier: SentTransaction,
  waitMs: number,
): Promise<(Fees & { nonce: number }) | undefined> {
  const { publicClient } = chain;
  const address = requireSender(chain).account.address;
  if (earlier.from.toLowerCase() !== address.toLowerCase()) return undefined;
  // A clock that was set back must not make the wait longer.
  const until = performance.now() + Math.min(waitMs, Math.max(0, earlier.sentAt + waitMs - Date.now()));
  return onChain(chain, async () => {
    for (;;) {
      const mined = await publicClient.getTransactionCount({ address, blockTag: "latest" });
      if (mined > earlier.nonce) return undefined;
      const pending = await publicClient.getTransactionCount({ address, blockTag: "pending" });
      // Those before it are gone from the pool: with its nonce it would wait for ever.
      if (pending < earlier.nonce) return { ...earlier, nonce: pending };
      if (!(await isKnown(chain, earlier))) return earlier;
      if (performance.now() >= until) return replacement(chain, earlier, mined);
      await sleep(publicClient.pollingInterval);
    }
  });
}

async function replacement(
  { publicClient }: ChainConnection,
  earlier: SentTransaction,
  mined: number,
): Promise<Fees & { nonce: number }> {
  const { hash, nonce } = earlier;
  if (mined < nonce)
    throw new DeltapayError(
      "chain/queued",
      `transaction ${hash} has nonce ${nonce}; that with nonce ${mined} of this account is not mined yet`,
      { field: "account", hint: "speed that one up or cancel it with the wallet that sent it" },
    );
  const market = await publicClient.estimateFeesPerGas();
  const maxFeePerGas = raised(earlier.maxFeePerGas);
  if (maxFeePerGas > MOST_TIMES_MARKET * market.maxFeePerGas)
    throw new DeltapayError(
      "chain/stuck",
      `transaction ${hash} is not mined, though it bids ${MOST_TIMES_MARKET} times what others pay`,
      { field: "rpc", hint: "another node may pass it on: --rpc URL" },
    );
  return { nonce, maxFeePerGas, maxPriorityFeePerGas: raised(earlier.maxPriorityFeePerGas) };
}
