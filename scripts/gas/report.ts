/** What `npm run gas -- --json` prints. Gas amounts fit in a number. */
import { measureFunctions, measureSettlements, measureSizes, type SettleGas } from "./measure.ts";
import { curveGas, PRICE, pairingGas, storageGas } from "./prices.ts";
import type { Breakdown } from "./trace.ts";

export interface SettleReport {
  total: number;
  perProof: number;
  /** Bytes. */
  calldata: number;
  /** Adds up to `total`. */
  spent: Record<keyof Breakdown, number>;
  /** What the prices of the EIPs make unavoidable for this equation and this state. */
  floor: number;
}

export interface GasReport {
  register: number;
  open: number;
  /** By number of proofs: the first settlement of an agreement, and the payout's first income. */
  settle: Record<string, SettleReport>;
  /** The first call of each other function. */
  functions: Record<string, number>;
  /** One proof under keys of these sizes. */
  oneProofByKeySize: Record<string, number>;
  proofs: string;
}

function settleReport(proofs: number, { total, perProof, calldata, spent }: SettleGas): SettleReport {
  const floor =
    PRICE.transaction +
    spent.calldata +
    pairingGas(proofs) +
    curveGas(proofs) +
    storageGas() +
    PRICE.recover +
    2n * PRICE.coldAccount;
  return {
    total: Number(total),
    perProof: Number(perProof),
    calldata,
    spent: numbers(spent),
    floor: Number(floor),
  };
}

function numbers<Key extends string>(values: Record<Key, bigint>): Record<Key, number> {
  const entries = Object.entries<bigint>(values).map(([key, value]) => [key, Number(value)]);
  return Object.fromEntries(entries) as Record<Key, number>;
}

/** Measures everything: some seconds. */
export async function currentReport(): Promise<GasReport> {
  const { register, open, ...functions } = numbers(await measureFunctions());
  const settlements = await measureSettlements();
  const sizes = await measureSizes();
  return {
    register: register!,
    open: open!,
    settle: Object.fromEntries([...settlements].map(([count, gas]) => [count, settleReport(count, gas)])),
    functions,
    oneProofByKeySize: Object.fromEntries([...sizes].map(([size, total]) => [size, Number(total)])),
    proofs: "real: made by snarkjs under the dev keys (test/vectors/proofs.json), key size 14",
  };
}
