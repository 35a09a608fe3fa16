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

/**
 * Compiles the circuit of size L and sees that it is the one this version pins, with all protocol 3 asks of it.
 * @throws DeltapayError `ceremony/other-compiler`, `key/wire-order`, `key/circuit-shape`, `key/not-binding`
 */
export async function checkedCircuit(size: number): Promise<CompiledCircuit> {
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
export async function checkedInitialKey(
  curve: Curve,
  size: number,
  r1cs: Uint8Array,
  ptau: Ptau,
): Promise<Uint8Array> {
  const initial = await initialKey(size, r1cs, ptau.bytes);
  checkInitialPoints(curve, readZkey(initial, "initial key"));
  return initial;
}
