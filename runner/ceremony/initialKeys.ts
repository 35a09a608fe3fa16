/** Where every ceremony starts: the moved initial key of a size, rebuilt by each participant from source. */
import type { Curve } from "ffjavascript";
import { checkKernel, checkShape, checkWireOrder } from "../keys/checkCircuit.ts";
import { checkInitialPoints } from "../keys/checkKey.ts";
import { type CompiledCircuit, compileCircuit } from "../keys/compile.ts";
import { pinnedKey } from "../keys/pinned.ts";
import { readR1cs } from "../keys/r1cs.ts";
import { initialKey } from "../keys/setup.ts";
import { readZkey } from "../keys/zkeyFile.ts";
import { toHex } from "../protocol/bytes.ts";
import { ensure } from "../protocol/errors.ts";
import { sha256 } from "../protocol/hash.ts";
import type { Ptau } from "./ptau.ts";

/** What this process has worked out; it depends on nothing anybody sends later. */
const circuits = new Map<number, Promise<CompiledCircuit>>();
const initials = new Map<string, Promise<Uint8Array>>();

/** The known result of some work, or that of doing it; a failure is not kept. */
function kept<Key, Result>(
  known: Map<Key, Promise<Result>>,
  key: Key,
  work: () => Promise<Result>,
): Promise<Result> {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = work();
  known.set(key, made);
  made.catch(() => known.delete(key));
  return made;
}

/**
 * Compiles the circuit of size L and sees that it is the one this version pins, with all protocol 3 asks of it.
 * @throws DeltapayError `ceremony/other-compiler`, `key/wire-order`, `key/circuit-shape`, `key/not-binding`
 */
export function checkedCircuit(size: number): Promise<CompiledCircuit> {
  return kept(circuits, size, () => compileChecked(size));
}

async function compileChecked(size: number): Promise<CompiledCircuit> {
  const circuit = await compileCircuit(size);
  const [found, pinned] = [toHex(sha256(circuit.r1cs)), pinnedKey(size).r1csHash];
  ensure(
    found === pinned,
    "ceremony/other-compiler",
    `the circuit of size ${size} compiles to ${found} here, this version pins ${pinned}`,
    { field: "r1cs", hint: "install the packages of this version: npm ci" },
  );
  checkShape(readR1cs(circuit.r1cs), size);
  checkWireOrder(circuit.sym, size);
  checkKernel(readR1cs(circuit.r1cs), size);
  return circuit;
}

/**
 * The moved initial key of a circuit, its points seen to be finite, on the curve and distinct.
 * @throws DeltapayError `key/ptau-too-small`, `key/infinity`, `key/repeated-point`, `key/...`
 */
export function checkedInitialKey(curve: Curve, size: number, ptau: Ptau): Promise<Uint8Array> {
  return kept(initials, `${ptau.blake2b}/${size}`, async () => {
    const { r1cs } = await checkedCircuit(size);
    const initial = await initialKey(size, r1cs, ptau.bytes);
    checkInitialPoints(curve, readZkey(initial, "initial key"));
    return initial;
  });
}
