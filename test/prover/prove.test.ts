import assert from "node:assert/strict";
import { after, test } from "node:test";
import { inspect } from "node:util";
import { loadProvingKey } from "../../runner/keys/load.ts";
import { toHex, uintLE } from "../../runner/protocol/bytes.ts";
import { decodeKeyPoints } from "../../runner/protocol/commitment.ts";
import { loadCurve, randomScalar } from "../../runner/protocol/curve.ts";
import { mod, Q } from "../../runner/protocol/field.ts";
import { type GroupWitness, witnessStatement } from "../../runner/protocol/statement.ts";
import { proofFromSnarkjs, proofToSnarkjs } from "../../runner/prover/proofEncoding.ts";
import { Prover, proveStatement, verifyProof } from "../../runner/prover/prove.ts";

const curve = await loadCurve();
after(() => curve.terminate());
const key = await loadProvingKey(14);
const points = await decodeKeyPoints(curve, key.commitKey);
const prover = new Prover(key);

function randomWitness(): GroupWitness {
  const h = Array.from({ length: 14 }, randomScalar);
  const s = Array.from({ length: 14 }, randomScalar);
  return { yhat: mod(h.reduce((sum, hk, k) => sum + hk * s[k]!, 0n)), h, s, blind: randomScalar() };
}

/** Every way a scalar could stand in a text: decimal, hex, hex of its little-endian bytes. */
function spellings(scalar: bigint): string[] {
  const bytes = uintLE(scalar, 32);
  return [scalar.toString(), scalar.toString(16), toHex(bytes).slice(2), toHex(bytes.toReversed()).slice(2)];
}

test("a proof verifies against its statement and no other", async () => {
  const witness = randomWitness();
  const V = await witnessStatement(curve, points, witness);
  const proof = await prover.prove(witness, V);
  assert.equal(await verifyProof(key.commitKey, V, proof), true);
  const other = await witnessStatement(curve, points, { ...witness, blind: mod(witness.blind + 1n) });
  assert.equal(await verifyProof(key.commitKey, other, proof), false);
  await assert.rejects(prover.prove(witness, other), { code: "prover/other-statement" });
  assert.equal(await verifyProof(key.commitKey, V, await proveStatement({ key, witness, V })), true);
});

test("no scalar of the witness leaves with the proof", async () => {
  const witness = randomWitness();
  const V = await witnessStatement(curve, points, witness);
  const proof = await prover.prove(witness, V);
  const text = [
    JSON.stringify(proof, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value)),
    JSON.stringify(proof, (_, value: unknown) => (typeof value === "bigint" ? value.toString(16) : value)),
    inspect(proof, { depth: null, showHidden: true }),
    inspect(prover, { depth: null, showHidden: true }),
  ].join("\n");
  assert.ok(text.includes(proof.a[0].toString()), "the search looks at the right object");
  for (const scalar of [witness.yhat, witness.blind, ...witness.h, ...witness.s])
    for (const spelling of spellings(scalar)) assert.ok(!text.includes(spelling));
  assert.deepEqual(Object.keys(proof), ["a", "b", "c"]);
});

test("a wrong answer has no witness, and the error quotes none of it", async () => {
  const witness = randomWitness();
  const wrong = { ...witness, yhat: mod(witness.yhat + 1n) };
  const V = await witnessStatement(curve, points, wrong);
  const error: unknown = await prover.prove(wrong, V).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof Error && "code" in error);
  assert.equal(error.code, "prover/no-witness");
  const text = inspect(error, { depth: null, showHidden: true });
  for (const scalar of [wrong.yhat, wrong.blind, ...wrong.h, ...wrong.s])
    for (const spelling of spellings(scalar)) assert.ok(!text.includes(spelling));
});

test("a witness of another size is refused", async () => {
  const witness = randomWitness();
  const V = await witnessStatement(curve, points, witness);
  await assert.rejects(prover.prove({ ...witness, h: witness.h.slice(1) }, V), {
    code: "prover/wrong-shape",
  });
});

test("the two spellings of a proof are each other's reverse, imaginary part first", () => {
  const proof = { a: [1n, 2n], b: [3n, 4n, 5n, 6n], c: [7n, 8n] } as Parameters<typeof proofToSnarkjs>[0];
  const json = proofToSnarkjs(proof);
  assert.deepEqual(json.pi_b, [
    ["4", "3"],
    ["6", "5"],
    ["1", "0"],
  ]);
  assert.deepEqual(proofFromSnarkjs(json), proof);
});

test("a malformed proof is an error, not merely false", async () => {
  const witness = randomWitness();
  const V = await witnessStatement(curve, points, witness);
  const proof = await prover.prove(witness, V);
  const [x, y] = proof.a;
  await assert.rejects(verifyProof(key.commitKey, V, { ...proof, a: [x, y + 1n] }), { code: /^proof\// });
  await assert.rejects(verifyProof(key.commitKey, V, { ...proof, a: [x + Q, y] }), { code: /^proof\// });
  await assert.rejects(verifyProof(key.commitKey, V, { ...proof, c: [0n, 0n] }), { code: /^proof\// });
});
