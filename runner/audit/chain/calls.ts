/** The calls in transactions that reached registry or escrow, themselves or through other contracts. */
import type { Interface } from "ethers";
import type { Hex } from "../primitives/bytes.ts";
import { Missing, Wrong } from "../problem.ts";
import { decodeCall, ESCROW, REGISTRY, type Values } from "./contracts.ts";
import { type ChainNode, shortMessage } from "./node.ts";
import { type MinedTransaction, readTransaction } from "./transactions.ts";

/** A call that reached registry or escrow. */
export interface Call {
  transaction: MinedTransaction;
  contract: "registry" | "escrow";
  /** Among the calls of its transaction that reached registry or escrow. */
  position: number;
  /** Who called: the sender, or a contract in between. */
  from: Hex;
  data: Hex;
  value: bigint;
  name: string;
  args: Values;
}

interface Frame {
  type: string;
  from: Hex;
  to?: Hex;
  input: Hex;
  value?: Hex;
  error?: string;
  calls?: Frame[];
}

export interface Addresses {
  registry: Hex;
  escrow: Hex;
}

/** Whether an address is the registry's or the escrow's. */
const isOurs = (address: Hex | null | undefined, { registry, escrow }: Addresses): address is Hex =>
  address === registry || address === escrow;

const interfaceOf = (target: Hex, { registry }: Addresses): Interface =>
  target === registry ? REGISTRY : ESCROW;

/** Whether a call does more than read; every function that does is known here. */
const isChange = (contract: Interface, input: Hex): boolean =>
  contract.getFunction(input.slice(0, 10))?.constant === false;

/** Calls that pass control on, to a receiver or a token, tell one event; more are of calls within them. */
const PASSING = ["open", "withdraw"];

/**
 * The calls of a transaction that reached registry or escrow, in order.
 * @throws Missing when another contract made some of them and the node does not trace
 */
export async function callsOf(
  node: ChainNode,
  transaction: MinedTransaction,
  addresses: Addresses,
): Promise<Call[]> {
  const { hash, from, to, data, value, logs } = transaction;
  const found: Call[] = [];
  const add = (caller: Hex, target: Hex, input: Hex, wei: bigint): Call => {
    const contract = target === addresses.registry ? "registry" : "escrow";
    const decoded = decodeCall(interfaceOf(target, addresses), input);
    if (decoded === undefined) throw new Wrong(`the call of the ${contract} in ${hash} is none it has`);
    const call = { transaction, contract, from: caller, data: input, value: wei, ...decoded } as const;
    found.push({ ...call, position: found.length });
    return found.at(-1)!;
  };
  if (isOurs(to, addresses)) {
    const { name } = add(from, to, data, value);
    const told = logs.filter(({ address }) => isOurs(address, addresses)).length;
    if (!PASSING.includes(name) || told <= 1) return found;
    found.pop();
  }
  const visit = (frame: Frame): void => {
    if (frame.error !== undefined) return;
    const target = frame.to?.toLowerCase();
    if (
      frame.type === "CALL" &&
      isOurs(target, addresses) &&
      isChange(interfaceOf(target, addresses), frame.input)
    )
      add(frame.from.toLowerCase(), target, frame.input, BigInt(frame.value ?? "0x0"));
    for (const inner of frame.calls ?? []) visit(inner);
  };
  visit(await trace(node, hash));
  return found;
}

async function trace(node: ChainNode, hash: Hex): Promise<Frame> {
  try {
    const tracer = { tracer: "callTracer" };
    const frame = await node.request<Frame | null>("debug_traceTransaction", [hash, tracer]);
    if (frame === null) throw new Error("it has none");
    return frame;
  } catch (error) {
    throw new Missing(
      `transaction ${hash} reached the contracts through another one, and the node does not trace it (debug_traceTransaction: ${shortMessage(error)})`,
    );
  }
}

/** Transactions of one audit, each read once. */
export class TransactionReader {
  readonly #node: ChainNode;
  readonly #addresses: Addresses;
  readonly #transactions = new Map<Hex, Promise<MinedTransaction>>();
  readonly #calls = new Map<Hex, Promise<Call[]>>();

  constructor(node: ChainNode, addresses: Addresses) {
    this.#node = node;
    this.#addresses = addresses;
  }

  read(hash: Hex): Promise<MinedTransaction> {
    return remembered(this.#transactions, hash, () => readTransaction(this.#node, hash));
  }

  calls(hash: Hex): Promise<Call[]> {
    return remembered(this.#calls, hash, async () =>
      callsOf(this.#node, await this.read(hash), this.#addresses),
    );
  }
}

function remembered<Value>(
  known: Map<Hex, Promise<Value>>,
  key: Hex,
  make: () => Promise<Value>,
): Promise<Value> {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}
