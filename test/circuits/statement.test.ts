/** What a proof says about its statement V: nothing but the one inner product, of exactly the committed scalars. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { committedNames } from "../../runner/keys/checkCircuit.ts";
import { loadProvingKey } from "../../runner/keys/load.ts";
import { verifyProof } from "../../runner/keys/verifyProof.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { mod } from "../../runner/protocol/field.ts";
import { openings, prove, scalarsOf, statementOf, witnessOf } from "../keys/statement.ts";

const SIZE = 14;
const USED = 4;
const curve = await loadCurve();
const key = await loadProvingKey(SIZE);

after(() => curve.terminate());

test("a proof verifies against its own V and not against V with any scalar changed", async () => {
  const honest = openings(SIZE, USED);
  const proof = await prove(key.zkey, await witnessOf(key.wasm, honest));
  const scalars = scalarsOf(honest);
  assert.equal(
    await verifyProof(key.commitKey, await statementOf(curve, key.commitKey, scalars), proof),
    true,
  );
  for (const [i, name] of committedNames(SIZE).entries()) {
    const other = scalars.map((value, k) => (k === i ? value + 1n : value));
    const V = await statementOf(curve, key.commitKey, other);
    assert.equal(await verifyProof(key.commitKey, V, proof), false, name);
  }
});

test("a wrong answer has no proof: the prover can only prove another statement", async () => {
  const honest = openings(SIZE, USED);
  const wrongAnswer = { ...honest, yhat: mod(honest.yhat + 1n) };
  const V = await statementOf(curve, key.commitKey, scalarsOf(wrongAnswer));
  await assert.rejects(witnessOf(key.wasm, wrongAnswer), /Assert Failed/);
  const proof = await prove(key.zkey, await witnessOf(key.wasm, honest));
  assert.equal(await verifyProof(key.commitKey, V, proof), false);
});

test("unused slots cannot carry a wrong answer", async () => {
  const honest = openings(SIZE, USED);
  const buyersV = await statementOf(curve, key.commitKey, scalarsOf(honest));
  const inSlot = (values: bigint[], value: bigint): bigint[] => values.with(SIZE - 1, value);
  // The circuit does not know which slots are used: each of these witnesses satisfies it.
  const cheats = {
    "a value in h alone": { ...honest, h: inSlot(honest.h, 5n) },
    "a value in s alone": { ...honest, s: inSlot(honest.s, 5n) },
    "a product that shifts the answer": {
      ...honest,
      yhat: mod(honest.yhat + 35n),
      h: inSlot(honest.h, 5n),
      s: inSlot(honest.s, 7n),
    },
  };
  for (const [name, cheat] of Object.entries(cheats)) {
    const proof = await prove(key.zkey, await witnessOf(key.wasm, cheat));
    const theirV = await statementOf(curve, key.commitKey, scalarsOf(cheat));
    // What stops them is V alone, which the buyer forms from commitments to the used slots.
    assert.equal(await verifyProof(key.commitKey, theirV, proof), true, `${name}: their V`);
    assert.equal(await verifyProof(key.commitKey, buyersV, proof), false, `${name}: the buyer's V`);
    // The buyer's V for the shifted answer has nothing in the unused slot either.
    const shifted = await statementOf(curve, key.commitKey, scalarsOf({ ...honest, yhat: cheat.yhat }));
    assert.equal(await verifyProof(key.commitKey, shifted, proof), false, `${name}: V of the shifted answer`);
  }
});
