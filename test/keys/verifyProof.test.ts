import assert from "node:assert/strict";
import { after, test } from "node:test";
import { loadCommitKey, loadProvingKey } from "../../runner/keys/load.ts";
import { verifyProof } from "../../runner/keys/verifyProof.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { Q } from "../../runner/protocol/field.ts";
import { openings, outsideG2, prove, scalarsOf, statementOf, witnessOf } from "./statement.ts";

const SIZE = 14;
const curve = await loadCurve();
const key = await loadProvingKey(SIZE);
const inputs = openings(SIZE);
const proof = await prove(key.zkey, await witnessOf(key.wasm, inputs));
const V = await statementOf(curve, key.commitKey, scalarsOf(inputs));

after(() => curve.terminate());

test("a proof verifies under its own key only", async () => {
  assert.equal(await verifyProof(key.commitKey, V, proof), true);
  assert.equal(await verifyProof(await loadCommitKey(30), V, proof), false);
});

test("a second spelling of the same proof is refused", async () => {
  const wrapped = (point: string[]): string[] => [String(BigInt(point[0]!) + Q), ...point.slice(1)];
  const b = proof.pi_b;
  const spellings = {
    pi_a: { ...proof, pi_a: wrapped(proof.pi_a) },
    pi_c: { ...proof, pi_c: wrapped(proof.pi_c) },
    pi_b: { ...proof, pi_b: [wrapped(b[0]!), b[1]!, b[2]!] },
  };
  for (const [field, other] of Object.entries(spellings))
    await assert.rejects(verifyProof(key.commitKey, V, other), { code: "proof/not-canonical", field });
  const padded = { ...proof, pi_a: [`0${proof.pi_a[0]}`, ...proof.pi_a.slice(1)] };
  await assert.rejects(verifyProof(key.commitKey, V, padded), { code: "proof/not-canonical" });
  const negative = { ...proof, pi_a: [String(BigInt(proof.pi_a[0]!) - Q), ...proof.pi_a.slice(1)] };
  await assert.rejects(verifyProof(key.commitKey, V, negative), { code: "proof/not-canonical" });
});

test("points at infinity are refused", async () => {
  const g1 = ["0", "1", "0"];
  for (const field of ["pi_a", "pi_c"] as const)
    await assert.rejects(verifyProof(key.commitKey, V, { ...proof, [field]: g1 }), {
      code: "proof/not-affine",
      field,
    });
  const g2 = [
    ["0", "0"],
    ["1", "0"],
    ["0", "0"],
  ];
  await assert.rejects(verifyProof(key.commitKey, V, { ...proof, pi_b: g2 }), { code: "proof/not-affine" });
  await assert.rejects(verifyProof(key.commitKey, V, { ...proof, pi_a: ["0", "0", "1"] }), {
    code: "proof/off-curve",
  });
});

test("points off the curve are refused", async () => {
  for (const field of ["pi_a", "pi_c"] as const) {
    const off = proof[field].with(1, String((BigInt(proof[field][1]!) + 1n) % Q));
    await assert.rejects(verifyProof(key.commitKey, V, { ...proof, [field]: off }), {
      code: "proof/off-curve",
      field,
    });
  }
  const off = proof.pi_b.with(1, proof.pi_b[0]!);
  await assert.rejects(verifyProof(key.commitKey, V, { ...proof, pi_b: off }), { code: "proof/off-curve" });
  await assert.rejects(verifyProof(key.commitKey, V.with(63, V[63]! ^ 1), proof), {
    code: "point/off-curve",
  });
});

test("a point of B's curve outside the group of order p is refused", async () => {
  const point = outsideG2();
  assert.equal(curve.G2.isValid(curve.G2.fromObject(point)), true, "snarkjs would take it");
  const pi_b = point.map((pair) => pair.map(String));
  await assert.rejects(verifyProof(key.commitKey, V, { ...proof, pi_b }), { code: "proof/wrong-subgroup" });
});

test("proofs of the wrong shape are refused", async () => {
  const shapes: [string, unknown][] = [
    ["pi_a", []],
    ["pi_a", proof.pi_a.slice(0, 2)],
    ["pi_c", [...proof.pi_c, "1"]],
    ["pi_b", proof.pi_b.slice(0, 2)],
    ["pi_b", [["1", "2", "3"], ["1"], ["1", "0"]]],
  ];
  for (const [field, value] of shapes)
    await assert.rejects(verifyProof(key.commitKey, V, { ...proof, [field]: value }), /proof|DeltapayError/i);
  await assert.rejects(verifyProof(key.commitKey, V.slice(0, 63), proof), { code: "point/bad-length" });
  await assert.rejects(verifyProof(key.commitKey, new Uint8Array(128), proof), { code: "point/bad-length" });
});
