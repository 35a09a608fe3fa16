/** Attacks on the making of a key (protocol 3): what snarkjs alone lets through, and what stops it here. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import * as snarkjs from "snarkjs";
import { checkFromInitial, checkKeyPoints } from "../../runner/keys/checkKey.ts";
import { compileCircuit } from "../../runner/keys/compile.ts";
import { devPtau, devSecrets } from "../../runner/keys/devPtau.ts";
import { commitKeyOf } from "../../runner/keys/fromZkey.ts";
import { committedWires, devBeacon, domainPower, initialKey } from "../../runner/keys/setup.ts";
import { verifyProof } from "../../runner/keys/verifyProof.ts";
import { moveCommitted, readZkey } from "../../runner/keys/zkeyFile.ts";
import { concatBytes } from "../../runner/protocol/bytes.ts";
import { encodePoint, loadCurve } from "../../runner/protocol/curve.ts";
import { openings, outsideG2, prove, scalarsOf, statementOf, witnessOf } from "./statement.ts";
import { HEADER_AT, movedAfterContribution, withHeader, withSections } from "./zkeyEdits.ts";

const SIZE = 14;
const curve = await loadCurve();
const circuit = await compileCircuit(SIZE);
const ptau = await devPtau(curve, domainPower(SIZE), devSecrets(SIZE));
const initial = await initialKey(SIZE, circuit.r1cs, ptau);
const moved = committedWires(SIZE);

after(() => curve.terminate());

async function freshKey(): Promise<Uint8Array> {
  const file: snarkjs.MemFile = { type: "mem" };
  await snarkjs.zKey.newZKey(circuit.r1cs, ptau, file);
  return file.data!;
}

async function contribute(zkey: Uint8Array, entropy: string): Promise<Uint8Array> {
  const file: snarkjs.MemFile = { type: "mem" };
  await snarkjs.zKey.contribute(zkey, file, "test", entropy);
  return file.data!;
}

/** The moved initial key under the circuit hash it had before the move: the variant that does not bind the move. */
async function initialUnderOldHash(): Promise<Uint8Array> {
  const contributions = readZkey(await freshKey()).file.sections.get(10)!;
  return withSections(initial, [[10, contributions]]);
}

test("snarkjs contributes to the moved key, verifies it and proves with it", async () => {
  const once = await contribute(initial, "first");
  const twice = await contribute(once, "second");
  const zkey = await devBeacon(SIZE, twice);
  await checkFromInitial(initial, ptau, zkey);
  checkKeyPoints(curve, readZkey(zkey));
  assert.equal(readZkey(zkey).contributions, 3);
  const commitKey = await commitKeyOf(curve, SIZE, circuit.r1cs, readZkey(zkey));
  const devKey = await commitKeyOf(curve, SIZE, circuit.r1cs, readZkey(await devBeacon(SIZE, initial)));
  assert.deepEqual(commitKey.bases, devKey.bases, "contributions do not change the bases");
  const inputs = openings(SIZE);
  const proof = await prove(zkey, await witnessOf(circuit.wasm, inputs));
  const V = await statementOf(curve, commitKey, scalarsOf(inputs));
  assert.equal(await verifyProof(commitKey, V, proof), true);
  assert.equal(await verifyProof(devKey, V, proof), false, "delta is another one");
});

test("a contribution before the move verifies under the old circuit hash and fails under the moved one", async () => {
  const early = await contribute(await freshKey(), "before the move");
  const attack = movedAfterContribution(initial, early);
  assert.equal(await snarkjs.zKey.verifyFromInit(await initialUnderOldHash(), ptau, attack), true);
  await assert.rejects(checkFromInitial(initial, ptau, attack), {
    code: "key/not-from-initial",
    message: /Circuit does not match/,
  });
  const contributions = readZkey(attack).file.sections.get(10)!;
  const relabelled = withSections(attack, [
    [10, concatBytes(readZkey(initial).circuitHash, contributions.subarray(64))],
  ]);
  await assert.rejects(checkFromInitial(initial, ptau, relabelled), { code: "key/not-from-initial" });
});

test("what is at stake: a contributor before the move opens commitments to anything", async () => {
  const early = await contribute(await freshKey(), "before the move");
  const zkey = movedAfterContribution(initial, early);
  const key = await commitKeyOf(curve, SIZE, circuit.r1cs, readZkey(zkey));
  const inputs = openings(SIZE);
  const proof = await prove(zkey, await witnessOf(circuit.wasm, inputs));
  const scalars = scalarsOf(inputs);
  // H_0 / delta lies in the contributed key where H_0 was: it moves V by H_0, and the answer stays.
  const overDelta = readZkey(early).c.slice(64, 128);
  const c = curve.G1.sub(curve.G1.fromObject(proof.pi_c.map(BigInt)), overDelta);
  const forged = { ...proof, pi_c: curve.G1.toObject(curve.G1.toAffine(c)).map(String) };
  const V = await statementOf(curve, key, scalars.with(1, scalars[1]! + 1n));
  assert.equal(await verifyProof(key, V, forged), true);
});

test("committed points are not moved in a key that already has contributions", async () => {
  const early = await contribute(await freshKey(), "before the move");
  assert.throws(() => moveCommitted(early, moved), { code: "key/has-contributions" });
});

test("a key of infinities passes verifyFromInit and is refused by name", async () => {
  const larger = await devPtau(curve, domainPower(30), devSecrets(30));
  const start = await initialKey(SIZE, circuit.r1cs, larger);
  const zkey = await devBeacon(SIZE, start);
  assert.ok(curve.G1.isZero(readZkey(zkey).ic.slice(64, 128)), "the base of yhat is infinity");
  assert.equal(await snarkjs.zKey.verifyFromInit(start, larger, zkey), true);
  assert.throws(() => checkKeyPoints(curve, readZkey(zkey)), { code: "key/infinity", field: "IC[0]" });
});

test("powers of tau that are too small are refused", async () => {
  const { r1cs } = await compileCircuit(30);
  await assert.rejects(initialKey(30, r1cs, ptau), { code: "key/ptau-too-small" });
});

test("points that are infinite, repeated, opposite, off the curve or of another role are refused", async () => {
  const zkey = await devBeacon(SIZE, initial);
  const parsed = readZkey(zkey);
  checkKeyPoints(curve, parsed);
  const withIc = (change: (ic: Uint8Array) => void): Uint8Array => {
    const ic = parsed.ic.slice();
    change(ic);
    return withSections(zkey, [[3, ic]]);
  };
  const header = (at: keyof typeof HEADER_AT, point: Uint8Array): Uint8Array =>
    withHeader(zkey, HEADER_AT[at], point);
  const refused = (bytes: Uint8Array, code: string, field: string): void =>
    assert.throws(() => checkKeyPoints(curve, readZkey(bytes)), { code, field });
  const point = (i: number): Uint8Array => parsed.ic.slice(64 * i, 64 * i + 64);
  refused(
    withIc((ic) => ic.set(new Uint8Array(64), 64 * 5)),
    "key/infinity",
    "IC[5]",
  );
  refused(
    withIc((ic) => ic.set(point(3), 64 * 5)),
    "key/repeated-point",
    "IC[5]",
  );
  refused(
    withIc((ic) => ic.set(curve.G1.neg(point(3)), 64 * 5)),
    "key/repeated-point",
    "IC[5]",
  );
  refused(
    withIc((ic) => ic.set(point(4).subarray(0, 32), 64 * 5)),
    "key/off-curve",
    "IC[5]",
  );
  refused(header("gamma2", parsed.beta2), "key/bad-gamma", "gamma_2");
  refused(header("delta2", curve.G2.gAffine), "key/bad-delta", "delta_2");
  refused(initial, "key/bad-delta", "delta_2");
  refused(header("delta2", new Uint8Array(128)), "key/infinity", "delta_2");
  refused(header("delta2", curve.G2.fromObject(outsideG2())), "key/wrong-subgroup", "delta_2");
  refused(header("beta2", curve.G2.fromObject(outsideG2())), "key/wrong-subgroup", "beta_2");
  for (const at of ["alpha1", "beta1", "delta1"] as const)
    assert.throws(() => checkKeyPoints(curve, readZkey(header(at, new Uint8Array(64)))), {
      code: "key/infinity",
    });
  for (const [id, name, points] of [
    [8, "C", parsed.c],
    [9, "H", parsed.h],
  ] as const) {
    const body = points.slice();
    body.set(new Uint8Array(64), 64);
    refused(withSections(zkey, [[id, body]]), "key/infinity", `${name}[1]`);
  }
});

test("a key with any section changed does not follow from its initial key", async () => {
  const zkey = await devBeacon(SIZE, initial);
  for (const id of [3, 4, 5, 6, 7, 8, 9]) {
    const body = readZkey(zkey).file.sections.get(id)!;
    // Coefficients are 44 bytes behind a count: the value is the last 32.
    const [start, width] = id === 4 ? [4 + 12, 44] : [0, id === 7 ? 128 : 64];
    const entry = (i: number): Uint8Array => body.subarray(start + i * width, start + i * width + 32);
    // Some sections hold infinity for wires they do not name: exchange two neighbours that differ.
    let i = 0;
    while (Buffer.compare(entry(i), entry(i + 1)) === 0) i++;
    const swapped = body.slice();
    swapped.set(body.subarray(start + i * width, start + (i + 1) * width), start + (i + 1) * width);
    swapped.set(body.subarray(start + (i + 1) * width, start + (i + 2) * width), start + i * width);
    await assert.rejects(
      checkFromInitial(initial, ptau, withSections(zkey, [[id, swapped]])),
      { code: "key/not-from-initial" },
      `section ${id}`,
    );
  }
});

test("a key that is cut, or whose contributions run past their section, is refused", async () => {
  const zkey = await devBeacon(SIZE, initial);
  await assert.rejects(checkFromInitial(initial, ptau, zkey.subarray(0, zkey.length - 1)), {
    code: "key/malformed",
  });
  const contributions = readZkey(zkey).file.sections.get(10)!;
  const more = contributions.slice();
  more[64] = 2;
  await assert.rejects(checkFromInitial(initial, ptau, withSections(zkey, [[10, more]])), {
    code: "key/malformed",
  });
  // The first parameter's kind, behind the contribution: not one that snarkjs knows.
  const unknown = contributions.slice();
  unknown[64 + 4 + 3 * 64 + 128 + 64 + 4 + 4] = 9;
  await assert.rejects(checkFromInitial(initial, ptau, withSections(zkey, [[10, unknown]])), {
    code: "key/not-from-initial",
  });
  const trailing = concatBytes(contributions, Uint8Array.of(0));
  await assert.rejects(checkFromInitial(initial, ptau, withSections(zkey, [[10, trailing]])), {
    code: "key/malformed",
  });
});

test("V of zero openings is IC_0", async () => {
  const key = await commitKeyOf(curve, SIZE, circuit.r1cs, readZkey(initial));
  const V = await statementOf(curve, key, Array<bigint>(moved).fill(0n));
  assert.deepEqual(V, key.ic0);
  assert.deepEqual(V, encodePoint(curve, readZkey(initial).ic.slice(0, 64)));
});
