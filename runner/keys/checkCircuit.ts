/** What the protocol needs of a compiled circuit before a key is made from it (protocol 3). */
import { ensure } from "../protocol/errors.ts";
import type { R1cs } from "./r1cs.ts";
import { committedWires } from "./setup.ts";

/** Names of the committed wires, in the order of their bases I, H_k, S_k, Z. */
export function committedNames(size: number): string[] {
  const array = (name: string): string[] => Array.from({ length: size }, (_, k) => `main.${name}[${k}]`);
  return ["main.yhat", ...array("h"), ...array("s"), "main.blind"];
}

/**
 * The committed inputs are wires 1 .. 2L+2 in order.
 * @param sym the compiler's symbol table: lines `label,wire,component,name`
 * @throws DeltapayError `key/wire-order`
 */
export function checkWireOrder(sym: string, size: number): void {
  const wireOf = new Map<string, number>();
  for (const line of sym.split("\n")) {
    const [, wire, , name] = line.split(",");
    if (name !== undefined) wireOf.set(name, Number(wire));
  }
  for (const [i, name] of committedNames(size).entries()) {
    const wire = wireOf.get(name);
    ensure(wire === i + 1, "key/wire-order", `${name} is wire ${wire}, not ${i + 1}`, { field: name });
  }
}

/**
 * All inputs are private, and the number of constraints is the pinned L+1.
 * @throws DeltapayError `key/circuit-shape`
 */
export function checkShape(r1cs: R1cs, size: number): void {
  const expect = (what: string, found: number, expected: number): void =>
    ensure(found === expected, "key/circuit-shape", `${found} ${what}, expected ${expected}`, {
      field: "r1cs",
    });
  expect("public outputs", r1cs.publicOutputs, 0);
  expect("public inputs", r1cs.publicInputs, 0);
  expect("private inputs", r1cs.privateInputs, committedWires(size));
  expect("constraints", r1cs.constraints.length, size + 1);
}

/**
 * Wires, all but the constant one, that are zero in every vector of the common kernel of the matrices A, B and C, as
 * far as peeling shows: a row with one unknown wire left makes that wire zero.
 */
export function zeroInKernel(r1cs: R1cs): Set<number> {
  const rows = r1cs.constraints
    .flatMap(({ a, b, c }) => [a, b, c])
    .map((row) => row.wires.filter((w) => w !== 0));
  const rowsOf: number[][] = Array.from({ length: r1cs.wires }, () => []);
  for (const [i, wires] of rows.entries()) for (const wire of wires) rowsOf[wire]!.push(i);
  const unknown = rows.map((wires) => wires.length);
  const zero = new Set<number>();
  const queue = [...rows.keys()].filter((i) => unknown[i] === 1);
  for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
    const wire = rows[i]!.find((candidate) => !zero.has(candidate));
    if (wire === undefined) continue;
    zero.add(wire);
    for (const other of rowsOf[wire]!) if (--unknown[other]! === 1) queue.push(other);
  }
  return zero;
}

/**
 * No two openings share a commitment: no nonzero vector with a nonzero committed part lies in the common kernel.
 * @throws DeltapayError `key/not-binding`
 */
export function checkKernel(r1cs: R1cs, size: number): void {
  const zero = zeroInKernel(r1cs);
  for (const [i, name] of committedNames(size).entries())
    ensure(zero.has(i + 1), "key/not-binding", `${name} is not fixed by the circuit's matrices`, {
      field: name,
    });
}
