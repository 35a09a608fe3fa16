/** Sending a call until it is mined: what nobody mines is replaced by one that pays more. */
import { type Hash, type TransactionReceipt, TransactionReceiptNotFoundError } from "viem";
import { DeltapayError } from "../protocol/errors.ts";
import type { ChainConnection } from "./connection.ts";
import { onChain } from "./errors.ts";
import { waitForEarlier } from "./replace.ts";
import { type Call, type Outcome, type SentTransaction, transact, WAIT_MS } from "./transact.ts";

/** Transactions sent for one call at most. */
const MOST_SENT = 3;

export interface PersistOptions {
  /** The last transaction of this call that an earlier try sent: found, or replaced. */
  earlier?: SentTransaction;
  /** Milliseconds a transaction may take to be mined before it is replaced. Default 3 minutes. */
  waitMs?: number;
  /** Hears of each transaction before any node does; it must be durable when this returns. */
  onSent?: (sent: SentTransaction) => void;
}

/** The transaction of a call that was mined and did what it should, if one was. */
async function minedOf(
  chain: ChainConnection,
  sent: readonly SentTransaction[],
): Promise<Outcome | undefined> {
  for (const { hash } of sent) {
    const receipt = await onChain(chain, () => receiptOf(chain, hash));
    if (receipt?.status !== "success") continue;
    const { transactionHash: txHash, gasUsed, blockNumber, logs } = receipt;
    return { txHash, gasUsed, blockNumber, logs };
  }
  return undefined;
}

async function receiptOf(
  { publicClient }: ChainConnection,
  hash: Hash,
): Promise<TransactionReceipt | undefined> {
  try {
    return await publicClient.getTransactionReceipt({ hash });
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return undefined;
    throw error;
  }
}

/**
 * Sends a call and waits until it is mined, raising its fees when it is not. Only for calls that do nothing when they are
 * made twice: what an unknown transaction with the same nonce did is not asked.
 * @throws DeltapayError `contract/...`, `chain/not-mined` after three transactions, `chain/stuck`, `chain/queued`,
 * `chain/...`, `account/missing`
 */
export async function persist(
  chain: ChainConnection,
  call: Call,
  { earlier, waitMs = WAIT_MS, onSent }: PersistOptions = {},
): Promise<Outcome> {
  const sent: SentTransaction[] = earlier === undefined ? [] : [earlier];
  for (let times = 1; ; times++) {
    const last = sent.at(-1);
    const replaces = last && (await waitForEarlier(chain, last, waitMs));
    try {
      const mined = replaces === undefined ? await minedOf(chain, sent) : undefined;
      if (mined !== undefined) return mined;
      return await transact(chain, call, {
        ...(replaces && { replaces }),
        waitMs,
        onSent: (transaction) => {
          sent.push(transaction);
          onSent?.(transaction);
        },
      });
    } catch (error) {
      // What was to be replaced may have been mined a moment ago.
      const mined = await minedOf(chain, sent);
      if (mined !== undefined) return mined;
      const isNotMined = error instanceof DeltapayError && error.code === "chain/not-mined";
      if (!isNotMined || times >= MOST_SENT) throw error;
    }
  }
}
