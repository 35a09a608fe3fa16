/** Where the gas of a transaction goes, by its trace: every step's gas counted once, in one of a few kinds. */
import { calldataGas, PRICE } from "./prices.ts";

/** What gas was spent on; the kinds add up to what the transaction cost. */
export interface Breakdown {
  transaction: bigint;
  calldata: bigint;
  pairings: bigint;
  /** Multiplications and additions on the curve. */
  curve: bigint;
  /** SLOAD, SSTORE and the transient ones. */
  storage: bigint;
  /** First access of other contracts, calls, the signature check. */
  calls: bigint;
  hashing: bigint;
  logs: bigint;
  /** Arithmetic, memory, control flow. */
  rest: bigint;
  /** What clearing storage gives back, as a negative amount (EIP-3529). */
  refund: bigint;
}

/** Of the answer to debug_traceTransaction. */
export interface Trace {
  gas: number;
  structLogs: readonly {
    op: string;
    gas: number;
    depth: number;
    stack: readonly string[];
    /** Counted so far. */
    refund: number;
  }[];
}

type Kind = Exclude<keyof Breakdown, "transaction" | "calldata" | "refund">;

const CURVE_PRECOMPILES = new Set([6n, 7n]);
const PAIRING_PRECOMPILE = 8n;

function kindOf(op: string, stack: readonly string[]): Kind {
  if (/^(S|T)(LOAD|STORE)$/.test(op)) return "storage";
  if (op === "KECCAK256") return "hashing";
  if (op.startsWith("LOG")) return "logs";
  if (/^(EXTCODE|BALANCE)/.test(op)) return "calls";
  if (!op.endsWith("CALL")) return "rest";
  const target = BigInt(stack.at(-2)!);
  if (CURVE_PRECOMPILES.has(target)) return "curve";
  return target === PAIRING_PRECOMPILE ? "pairings" : "calls";
}

/**
 * The gas of each step is what is left at the next step of its own frame, less what the frames it called spent.
 * Throws when the parts do not add up to the whole.
 * @param gasUsed of the receipt
 * @param data calldata as hex
 */
export function breakDown({ structLogs }: Trace, gasUsed: bigint, data: string): Breakdown {
  const spent: Breakdown = {
    transaction: PRICE.transaction,
    calldata: calldataGas(data),
    pairings: 0n,
    curve: 0n,
    storage: 0n,
    calls: 0n,
    hashing: 0n,
    logs: 0n,
    rest: 0n,
    refund: -BigInt(structLogs.at(-1)!.refund),
  };
  /** Per depth: the step whose end is not known yet, and what deeper frames spent meanwhile. */
  const pending: { kind: Kind; gas: number; inner: number }[] = [];
  const close = (gasAfter: number): number => {
    const { kind, gas, inner } = pending.pop()!;
    const total = gas - gasAfter;
    spent[kind] += BigInt(total - inner);
    return total;
  };
  /** First gas of a frame and the gas at its last step. */
  const frames: number[] = [];
  let last = 0;
  for (const { op, gas, depth, stack } of structLogs) {
    while (pending.length > depth) {
      // A frame ended at its last step, which costs nothing here (STOP, RETURN): its gas was `last`.
      close(last);
      const inner = frames.pop()! - last;
      pending.at(-1)!.inner += inner;
    }
    if (pending.length === depth) close(gas);
    else frames.push(gas);
    pending.push({ kind: kindOf(op, stack), gas, inner: 0 });
    last = gas;
  }
  while (pending.length > 0) {
    close(last);
    const inner = frames.pop()! - last;
    if (pending.length > 0) pending.at(-1)!.inner += inner;
  }
  const known = Object.values(spent).reduce((sum, part) => sum + part, 0n);
  if (known !== gasUsed) throw new Error(`the trace accounts for ${known} of ${gasUsed} gas`);
  return spent;
}
