/** Sending transactions: estimated first, so that a failure costs nothing and has words; in order; waited for. */
import type { Address, Hash, Hex, Log, TransactionReceipt } from "viem";
import { DeltapayError } from "../protocol/errors.ts";
import { accountMissing } from "./accounts.ts";
import type { ChainConnection } from "./connect.ts";
import { onChain } from "./errors.ts";

/** Most gas of one transaction (EIP-7825). */
export const TRANSACTION_GAS_LIMIT = 2n ** 24n;

export interface Call {
  to: Address;
  data: Hex;
  /** Wei. */
  value?: bigint;
}

/** A transaction that was mined and did not revert. */
export interface Outcome {
  txHash: Hash;
  gasUsed: bigint;
  blockNumber: bigint;
  logs: Log[];
}

type Sender = Required<Pick<ChainConnection, "account" | "walletClient">>;

/** Who signs. @throws DeltapayError `account/missing` */
export function requireSender({ account, walletClient, chainId }: ChainConnection): Sender {
  if (account === undefined || walletClient === undefined) throw accountMissing(chainId);
  return { account, walletClient };
}

/** The last send of each account: two at once would take the same nonce. */
const sending = new Map<string, Promise<unknown>>();

function inOrder<Result>(
  chain: ChainConnection,
  sender: Address,
  send: () => Promise<Result>,
): Promise<Result> {
  const key = `${chain.rpcUrl} ${sender}`;
  const turn = (sending.get(key) ?? Promise.resolve()).then(send, send);
  sending.set(
    key,
    turn.catch(() => undefined),
  );
  return turn;
}

/**
 * Gas a call would use now.
 * @throws DeltapayError `contract/...` with the contract's reason, `chain/...`
 */
export function estimateGas(chain: ChainConnection, call: Call): Promise<bigint> {
  const { account } = requireSender(chain);
  return onChain(chain, () => chain.publicClient.estimateGas({ account, ...call }));
}

/** Room for what changes until the transaction is mined. */
function withMargin(gas: bigint): bigint {
  const padded = gas + gas / 5n;
  return padded < TRANSACTION_GAS_LIMIT ? padded : TRANSACTION_GAS_LIMIT;
}

/** Estimates and sends; resolves to the hash before the transaction is mined. */
export function send(chain: ChainConnection, call: Call): Promise<Hash> {
  const { account, walletClient } = requireSender(chain);
  return inOrder(chain, account.address, async () => {
    const gas = withMargin(await estimateGas(chain, call));
    return onChain(chain, () => walletClient.sendTransaction({ ...call, gas }));
  });
}

/** Why a mined transaction reverted, as well as running it again tells. */
async function revertReason(chain: ChainConnection, call: Call, receipt: TransactionReceipt): Promise<Error> {
  const { account } = requireSender(chain);
  try {
    await onChain(chain, () =>
      chain.publicClient.call({ account, ...call, blockNumber: receipt.blockNumber }),
    );
  } catch (error) {
    return error as Error;
  }
  return new DeltapayError("chain/reverted", `transaction ${receipt.transactionHash} reverted`);
}

/** Waits until a transaction is mined, whether it reverted or not. */
export function waitFor(chain: ChainConnection, hash: Hash): Promise<TransactionReceipt> {
  return onChain(chain, () => chain.publicClient.waitForTransactionReceipt({ hash }));
}

/**
 * Sends a call and waits until it is mined.
 * @param onSent hears of the hash before the wait
 * @throws DeltapayError `contract/...`, `chain/...`, `account/missing`
 */
export async function transact(
  chain: ChainConnection,
  call: Call,
  onSent?: (txHash: Hash) => void,
): Promise<Outcome> {
  const hash = await send(chain, call);
  onSent?.(hash);
  const receipt = await waitFor(chain, hash);
  if (receipt.status !== "success") throw await revertReason(chain, call, receipt);
  const { transactionHash: txHash, gasUsed, blockNumber, logs } = receipt;
  return { txHash, gasUsed, blockNumber, logs };
}
