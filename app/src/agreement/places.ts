/** Transactions, their receipts and their blocks, each asked for once. */
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { onChain } from "../../../runner/chain/errors.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import type { Address } from "../../../runner/protocol/typedData.ts";
import type { Place } from "./facts.ts";

export interface Places {
  /** Of a transaction that was asked for. */
  of(txHash: Hex): { place: Place; sent: { to: Address | null; input: Hex } };
}

/** Reads where and how each transaction ran, a few at a time. */
export async function readPlaces(
  ctx: ChainContext,
  logs: readonly { transactionHash: Hex }[],
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Places> {
  const hashes = [...new Set(logs.map(({ transactionHash }) => transactionHash))];
  const found = new Map<Hex, ReturnType<Places["of"]>>();
  const blocks = new Map<bigint, Promise<bigint>>();
  const timeOf = (blockNumber: bigint): Promise<bigint> => {
    const known = blocks.get(blockNumber);
    if (known !== undefined) return known;
    const asked = ctx.publicClient.getBlock({ blockNumber }).then(({ timestamp }) => timestamp);
    blocks.set(blockNumber, asked);
    return asked;
  };
  const read = async (hash: Hex): Promise<void> => {
    const [transaction, receipt] = await Promise.all([
      ctx.publicClient.getTransaction({ hash }),
      ctx.publicClient.getTransactionReceipt({ hash }),
    ]);
    const { blockNumber, blockHash, from, gasUsed } = receipt;
    const time = await timeOf(blockNumber);
    found.set(hash, {
      place: { txHash: hash, blockNumber, blockHash, time, from, gasUsed },
      sent: { to: transaction.to, input: transaction.input },
    });
    onProgress(found.size, hashes.length);
  };
  const left = [...hashes];
  const lane = async (): Promise<void> => {
    for (let hash = left.shift(); hash !== undefined; hash = left.shift()) await read(hash);
  };
  await onChain(ctx, () => Promise.all([lane(), lane(), lane(), lane()]));
  return { of: (txHash) => found.get(txHash)! };
}
