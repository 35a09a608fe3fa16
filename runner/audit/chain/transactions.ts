/** Transactions with their receipts, and the calls in them that reached registry or escrow. */
import { Transaction } from "ethers";
import type { Hex } from "../primitives/bytes.ts";
import { Missing, Wrong } from "../problem.ts";
import { type Log, readLog } from "./logs.ts";
import { type ChainNode, shortMessage } from "./node.ts";

export interface MinedTransaction {
  hash: Hex;
  from: Hex;
  to: Hex | null;
  data: Hex;
  value: bigint;
  blockNumber: bigint;
  index: number;
  /** Of its block, seconds. */
  timestamp: bigint;
  succeeded: boolean;
  logs: Log[];
  /** As the node gave it. */
  raw: RawTransaction;
}

interface RawTransaction {
  hash: Hex;
  type: Hex;
  from: Hex;
  to: Hex | null;
  input: Hex;
  value: Hex;
  nonce: Hex;
  gas: Hex;
  gasPrice?: Hex;
  maxFeePerGas?: Hex;
  maxPriorityFeePerGas?: Hex;
  chainId?: Hex;
  accessList?: { address: Hex; storageKeys: Hex[] }[];
  v: Hex;
  r: Hex;
  s: Hex;
  yParity?: Hex;
  blockNumber: Hex;
  transactionIndex: Hex;
}

interface RawReceipt {
  status: Hex;
  logs: Parameters<typeof readLog>[0][];
}

/** @throws Missing when the node does not have it, or its block: many drop what is old */
export async function readTransaction(node: ChainNode, hash: Hex): Promise<MinedTransaction> {
  const raw = await node.request<RawTransaction | null>("eth_getTransactionByHash", [hash]);
  const receipt = await node.request<RawReceipt | null>("eth_getTransactionReceipt", [hash]);
  if (raw === null || receipt === null)
    throw new Missing(`the node names transaction ${hash} but does not have it; ask one that keeps all`);
  const block = await node.request<{ timestamp: Hex } | null>("eth_getBlockByNumber", [
    raw.blockNumber,
    false,
  ]);
  if (block === null) throw new Missing(`the node has no block ${raw.blockNumber}; ask one that keeps all`);
  return {
    hash,
    from: raw.from.toLowerCase(),
    to: raw.to?.toLowerCase() ?? null,
    data: raw.input,
    value: BigInt(raw.value),
    blockNumber: BigInt(raw.blockNumber),
    index: Number(raw.transactionIndex),
    timestamp: BigInt(block.timestamp),
    succeeded: BigInt(receipt.status) === 1n,
    logs: receipt.logs.map(readLog),
    raw,
  };
}

const TYPES_KNOWN = [0, 1, 2];

/**
 * Sees that a transaction is what its sender signed: its fields hash to its hash, and the signature is the sender's.
 * @throws Wrong when it is not, Missing for types of transactions not known here
 */
export function checkSigned({ raw, hash, from }: MinedTransaction, chainId: bigint): void {
  const type = Number(raw.type);
  if (!TYPES_KNOWN.includes(type))
    throw new Missing(`transaction ${hash} is of type ${type}, not known here`);
  const fees =
    type === 2
      ? { maxFeePerGas: raw.maxFeePerGas!, maxPriorityFeePerGas: raw.maxPriorityFeePerGas! }
      : { gasPrice: raw.gasPrice! };
  let signed: Transaction;
  try {
    signed = Transaction.from({
      type,
      to: raw.to,
      data: raw.input,
      value: raw.value,
      nonce: Number(raw.nonce),
      gasLimit: raw.gas,
      chainId: type === 0 ? legacyChain(raw.v) : raw.chainId!,
      ...fees,
      ...(type === 0 ? {} : { accessList: raw.accessList ?? [] }),
      signature: {
        r: padded(raw.r),
        s: padded(raw.s),
        v: raw.yParity === undefined ? raw.v : 27 + Number(raw.yParity),
      },
    });
  } catch (error) {
    throw new Wrong(`transaction ${hash} cannot be read: ${shortMessage(error)}`);
  }
  if (signed.hash !== hash)
    throw new Wrong(`transaction ${hash} has the hash ${signed.hash}: it was altered`);
  if (signed.from?.toLowerCase() !== from)
    throw new Wrong(`transaction ${hash} is signed by ${signed.from}, not by its sender ${from}`);
  const isForAny = type === 0 && signed.chainId === 0n;
  if (!isForAny && signed.chainId !== chainId)
    throw new Wrong(`transaction ${hash} is for chain ${signed.chainId}`);
}

/** The chain that v of a transaction of the first type names (EIP-155); 0 when it is for any. */
const legacyChain = (v: Hex): bigint => (BigInt(v) >= 35n ? (BigInt(v) - 35n) / 2n : 0n);

const padded = (word: Hex): Hex => `0x${word.slice(2).padStart(64, "0")}`;

/** Oldest first. */
export const inOrder = (a: MinedTransaction, b: MinedTransaction): number =>
  a.blockNumber === b.blockNumber ? a.index - b.index : a.blockNumber < b.blockNumber ? -1 : 1;
