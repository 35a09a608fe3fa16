import assert from "node:assert/strict";
import { after, test } from "node:test";
import { checkWireOrder, committedNames } from "../../runner/keys/checkCircuit.ts";
import { compileCircuit } from "../../runner/keys/compile.ts";
import { readR1cs } from "../../runner/keys/r1cs.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { P } from "../../runner/protocol/field.ts";
import { editWitness, openings, satisfies, witnessOf } from "../keys/statement.ts";

const SIZE = 14;
const circuit = await compileCircuit(SIZE);
const WIRES = 1 + (2 * SIZE + 2) + (SIZE - 1) + 1;
const [YHAT, H, S, BLIND, PRODUCT, Z] = [1, 2, 2 + SIZE, 2 + 2 * SIZE, 3 + 2 * SIZE, WIRES - 1];

after(async () => (await loadCurve()).terminate());

test("every optimisation level gives L + 1 constraints and the same wire order", async () => {
  for (const level of [0, 1, 2] as const) {
    const { r1cs, sym } = await compileCircuit(SIZE, level);
    const parsed = readR1cs(r1cs);
    assert.equal(parsed.constraints.length, SIZE + 1, `--O${level}`);
    assert.equal(parsed.wires, WIRES);
    checkWireOrder(sym, SIZE);
  }
});

test("compiling twice gives the same bytes", async () => {
  const again = await compileCircuit(SIZE);
  assert.deepEqual(again, circuit);
});

test("a right witness passes", async () => {
  const zeros = Array<bigint>(SIZE).fill(0n);
  const extreme = Array<bigint>(SIZE).fill(P - 1n);
  for (const inputs of [
    openings(SIZE),
    openings(SIZE, 3),
    { yhat: 0n, h: zeros, s: zeros, blind: 0n },
    { yhat: BigInt(SIZE), h: extreme, s: extreme, blind: P - 1n },
  ])
    assert.equal(await satisfies(circuit.r1cs, await witnessOf(circuit.wasm, inputs)), true);
});

test("no witness is made of wrong inputs", async () => {
  const right = openings(SIZE);
  const bump = (values: bigint[]): bigint[] => values.map((value, k) => (k === 3 ? value + 1n : value));
  for (const wrong of [
    { ...right, yhat: right.yhat + 1n },
    { ...right, h: bump(right.h) },
    { ...right, s: bump(right.s) },
  ])
    await assert.rejects(witnessOf(circuit.wasm, wrong), /Assert Failed/);
  // blind alone is free: it changes the commitment, not the claim (see the statement tests)
  const reblinded = await witnessOf(circuit.wasm, { ...right, blind: right.blind + 1n });
  assert.equal(await satisfies(circuit.r1cs, reblinded), true);
});

test("a witness with any single wire changed is rejected", async () => {
  const wtns = await witnessOf(circuit.wasm, openings(SIZE));
  const names = ["one", ...committedNames(SIZE)];
  for (let wire = 1; wire < WIRES; wire++) {
    const edited = editWitness(wtns, (wires) => {
      wires[wire]! += 1n;
    });
    assert.equal(await satisfies(circuit.r1cs, edited), false, names[wire] ?? `inner wire ${wire}`);
  }
});

test("a change that is carried through the inner wires is rejected where it meets what was not changed", async () => {
  const wtns = await witnessOf(circuit.wasm, openings(SIZE));
  const rejected = async (change: (wires: bigint[]) => void): Promise<void> =>
    assert.equal(await satisfies(circuit.r1cs, editWitness(wtns, change)), false);
  // h[0] with its product: only the closing sum disagrees
  await rejected((wires) => {
    wires[H]! += 1n;
    wires[PRODUCT] = wires[H]! * wires[S]!;
  });
  // the same for s[0]
  await rejected((wires) => {
    wires[S]! += 1n;
    wires[PRODUCT] = wires[H]! * wires[S]!;
  });
  // the slot whose product has no wire
  await rejected((wires) => {
    wires[H + SIZE - 1]! += 1n;
  });
  // two products that hide each other's error from the sum
  await rejected((wires) => {
    wires[PRODUCT]! += 1n;
    wires[PRODUCT + 1]! -= 1n;
  });
  // carried all the way to yhat it is another true statement
  const other = editWitness(wtns, (wires) => {
    wires[H]! += 1n;
    wires[PRODUCT]! += wires[S]!;
    wires[YHAT]! += wires[S]!;
  });
  assert.equal(await satisfies(circuit.r1cs, other), true);
  // blind with its square
  const reblinded = editWitness(wtns, (wires) => {
    wires[BLIND]! += 1n;
    wires[Z] = wires[BLIND]! * wires[BLIND]!;
  });
  assert.equal(await satisfies(circuit.r1cs, reblinded), true);
});
