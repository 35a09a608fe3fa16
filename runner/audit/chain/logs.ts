/** All logs of some contracts, range by range: nodes refuse long ranges, each its own, so that a range adapts. */
import type { Hex } from "../primitives/bytes.ts";
import { AuditError } from "../problem.ts";
import { type ChainNode, quantity, shortMessage } from "./node.ts";

const FIRST_RANGE = 10_000n;
const LONGEST_RANGE = 100_000n;

export interface Log {
  address: Hex;
  topics: Hex[];
  data: Hex;
  blockNumber: bigint;
  transactionHash: Hex;
  logIndex: number;
}

interface RawLog {
  address: Hex;
  topics: Hex[];
  data: Hex;
  blockNumber: Hex;
  transactionHash: Hex;
  logIndex: Hex;
}

/** A log as nodes write it. */
export const readLog = (raw: RawLog): Log => ({
  address: raw.address.toLowerCase(),
  topics: raw.topics,
  data: raw.data,
  blockNumber: BigInt(raw.blockNumber),
  transactionHash: raw.transactionHash,
  logIndex: Number(raw.logIndex),
});

/**
 * Logs from `from` up to the audited block, in order. A range that the node refuses is halved, one it answers is doubled.
 * @throws AuditError `audit/logs-refused` when a single block is refused
 */
export async function readLogs(
  node: ChainNode,
  addresses: readonly Hex[],
  from: bigint,
  onProgress: (done: number, total: number) => void,
): Promise<Log[]> {
  const logs: Log[] = [];
  let range = FIRST_RANGE;
  for (let start = from; start <= node.block; ) {
    const last = start + range - 1n;
    const end = last < node.block ? last : node.block;
    const filter = { address: addresses, fromBlock: quantity(start), toBlock: quantity(end) };
    try {
      logs.push(...(await node.request<RawLog[]>("eth_getLogs", [filter])).map(readLog));
    } catch (error) {
      if (start === end) throw refused(start, error);
      range = (end - start + 1n) / 2n;
      continue;
    }
    start = end + 1n;
    if (range < LONGEST_RANGE) range *= 2n;
    onProgress(Number(start - from), Number(node.block - from + 1n));
  }
  return logs;
}

function refused(block: bigint, error: unknown): AuditError {
  return new AuditError(
    "audit/logs-refused",
    `the node gives no logs of block ${block}: ${shortMessage(error)}`,
    {
      field: "rpc",
      hint: "ask an archive node, or leave out what came before with --from-block N",
    },
  );
}
