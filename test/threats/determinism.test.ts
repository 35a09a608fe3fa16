/** Under-constrained and nondeterministic circuits: the inputs leave no freedom to anything behind them. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { committedNames } from "../../runner/keys/checkCircuit.ts";
import { compileCircuit } from "../../runner/keys/compile.ts";
import { type R1cs, readR1cs } from "../../runner/keys/r1cs.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { editWitness, fieldElements, openings, satisfies, witnessOf } from "../keys/statement.ts";

const SIZES = [14, 62];
after(async () => (await loadCurve()).terminate());

/** Wires that follow from the inputs: alone and linear in a constraint whose other wires are known. */
function determined(r1cs: R1cs, inputs: number): Set<number> {
  const known = new Set(Array.from({ length: inputs + 1 }, (_, wire) => wire));
  for (let before = -1; before !== known.size; ) {
    before = known.size;
    for (const { a, b, c } of r1cs.constraints) {
      const open = (wires: number[]): number[] => wires.filter((wire) => !known.has(wire));
      const [wire, ...more] = open(c.wires);
      if (open(a.wires).length + open(b.wires).length === 0 && wire !== undefined && more.length === 0)
        known.add(wire);
    }
  }
  return known;
}

for (const size of SIZES)
  test(`every wire of the circuit of size ${size} follows from its inputs`, async () => {
    const r1cs = readR1cs((await compileCircuit(size)).r1cs);
    assert.equal(determined(r1cs, committedNames(size).length).size, r1cs.wires);
  });

test("a wire that no constraint determines is noticed", async () => {
  const r1cs = readR1cs((await compileCircuit(14)).r1cs);
  // the closing sum, which holds yhat, determines nothing: it is what is proven
  const assigning = r1cs.constraints.filter(({ c }) => !c.wires.includes(1));
  assert.equal(assigning.length, r1cs.constraints.length - 1);
  assert.equal(determined({ ...r1cs, constraints: assigning }, 30).size, r1cs.wires);
  for (const left of assigning.keys()) {
    const constraints = assigning.filter((_, i) => i !== left);
    assert.equal(determined({ ...r1cs, constraints }, 30).size, r1cs.wires - 1, `constraint ${left}`);
  }
});

test("no other values of the inner wires satisfy the same inputs", async () => {
  const { r1cs, wasm } = await compileCircuit(14);
  const wtns = await witnessOf(wasm, openings(14));
  const inner = 2 * 14 + 3;
  for (const [attempt, value] of fieldElements("inner", 8).entries()) {
    const edited = editWitness(wtns, (wires) => {
      for (let wire = inner; wire < wires.length; wire++)
        if ((wire + attempt) % 3 === 0) wires[wire] = wires[wire]! + value;
    });
    assert.equal(await satisfies(r1cs, edited), false);
  }
});
