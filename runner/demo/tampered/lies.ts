/** Lies a node can tell about the escrow: other calldata, other events, other blocks. */
import { Interface, type Result } from "ethers";
import { adapterRegistryAbi, loraEscrowAbi } from "../../chain/generated/abi.ts";
import type { Lie } from "./lyingNode.ts";

const ESCROW = new Interface(loraEscrowAbi);
const REGISTRY = new Interface(adapterRegistryAbi);

interface Log {
  address: string;
  topics: string[];
  data: string;
}

/** Values of a call or an event by position; structs and lists as nested lists. */
export type Values = unknown[];

const values = (result: Result): Values => result.toArray(true);

/** Alters the arguments of every call of a function of the escrow. */
export function alterCall(name: string, change: (args: Values) => Values): Lie {
  return (method, _, result) => {
    if (method !== "eth_getTransactionByHash") return result;
    const transaction = result as { input: string };
    if (!transaction.input.startsWith(ESCROW.getFunction(name)!.selector)) return result;
    const args = change(values(ESCROW.decodeFunctionData(name, transaction.input)));
    return { ...transaction, input: ESCROW.encodeFunctionData(name, args) };
  };
}

/** Alters all logs that the node tells of. */
function alterLogs(change: (log: Log) => Log | undefined): Lie {
  const changed = (logs: Log[]): Log[] => logs.flatMap((log) => change(log) ?? []);
  return (method, _, result) => {
    if (method === "eth_getLogs") return changed(result as Log[]);
    if (method !== "eth_getTransactionReceipt") return result;
    const receipt = result as { logs: Log[] };
    return { ...receipt, logs: changed(receipt.logs) };
  };
}

/** Alters every event of a name, of registry or escrow. */
export function alterEvent(name: string, change: (args: Values) => Values): Lie {
  const contract = ESCROW.getEvent(name) === null ? REGISTRY : ESCROW;
  const { topicHash } = contract.getEvent(name)!;
  return alterLogs((log) => {
    if (log.topics[0] !== topicHash) return log;
    const args = change(values(contract.decodeEventLog(name, log.data, log.topics)));
    return { ...log, ...contract.encodeEventLog(name, args) };
  });
}

/** Leaves out every event of a name. */
export function hideEvent(name: string): Lie {
  const { topicHash } = ESCROW.getEvent(name)!;
  return alterLogs((log) => (log.topics[0] === topicHash ? undefined : log));
}

/** A log as another contract would have to write it to look like an event of the escrow. */
export function eventLog(name: string, args: Values): { topics: string[]; data: string } {
  return ESCROW.encodeEventLog(name, args);
}

/** All of these lies, one after another. */
export function together(...lies: readonly Lie[]): Lie {
  return (method, params, result) => lies.reduce((told, lie) => lie(method, params, told), result);
}

/** Moves blocks that match to another time. */
export function alterTime(change: (timestamp: bigint) => bigint): Lie {
  return (method, _, result) => {
    if (method !== "eth_getBlockByNumber" || result === null) return result;
    const block = result as { timestamp: string };
    return { ...block, timestamp: `0x${change(BigInt(block.timestamp)).toString(16)}` };
  };
}
