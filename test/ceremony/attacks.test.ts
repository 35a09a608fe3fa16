/** Attacks on a ceremony by those who take part in it: each is refused by name. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import * as snarkjs from "snarkjs";
import { checkOneMore, checkReceived } from "../../runner/ceremony/checkReceived.ts";
import { makeRound } from "../../runner/ceremony/contribute.ts";
import { readContributions } from "../../runner/ceremony/contributions.ts";
import type { CeremonyFolder } from "../../runner/ceremony/folder.ts";
import { checkedCircuit, checkedInitialKey } from "../../runner/ceremony/initialKeys.ts";
import { readPtau } from "../../runner/ceremony/ptau.ts";
import { beaconStep, nextKey, secretStep } from "../../runner/ceremony/step.ts";
import { readZkey } from "../../runner/keys/zkeyFile.ts";
import { concatBytes, uintLE } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { DeltapayError } from "../../runner/protocol/errors.ts";
import { Q } from "../../runner/protocol/field.ts";
import { outsideG2 } from "../keys/statement.ts";
import { HEADER_AT, movedAfterContribution, withHeader, withSections } from "../keys/zkeyEdits.ts";
import { begun, contributeByHand, makePtau, SIZE, withLast, withRecord } from "./setting.ts";

const curve = await loadCurve();
const ptauBytes = await makePtau(4);
const ptau = readPtau(ptauBytes);
const { r1cs } = await checkedCircuit(SIZE);
const initial = await checkedInitialKey(curve, SIZE, ptau);
const once = await nextKey(curve, initial, initial, secretStep("Ada", ""));
const twice = await nextKey(curve, initial, once, secretStep("Bob", ""));

after(() => curve.terminate());

const refused = (zkey: Uint8Array, code: string, field?: string): Promise<void> =>
  assert.rejects(checkReceived(curve, initial, zkey), (error: unknown) => {
    assert.ok(error instanceof DeltapayError, String(error));
    assert.equal(error.code, code, error.message);
    if (field !== undefined) assert.equal(error.field, field);
    return true;
  });

async function freshKey(): Promise<Uint8Array> {
  const file: snarkjs.MemFile = { type: "mem" };
  await snarkjs.zKey.newZKey(r1cs, ptauBytes, file);
  return file.data!;
}

const last = (zkey: Uint8Array) => readContributions(readZkey(zkey)).at(-1)!;

test("honest contributions, made by snarkjs or by hand, pass this check and snarkjs's", async () => {
  const byHand = await contributeByHand(curve, twice, 0x1234567890abcdefn);
  const found = await checkReceived(curve, initial, byHand);
  assert.deepEqual(
    found.map(({ name }) => name),
    ["Ada", "Bob", null],
  );
  assert.equal(await snarkjs.zKey.verifyFromInit(initial, ptauBytes, byHand), true);
  checkOneMore(twice, byHand);
});

test("a contribution before the move is refused under the old circuit hash and under the moved one", async () => {
  const file: snarkjs.MemFile = { type: "mem" };
  await snarkjs.zKey.contribute(await freshKey(), file, "early", "before the move");
  const early = movedAfterContribution(initial, file.data!);
  await refused(early, "ceremony/other-circuit");
  const records = readZkey(early).file.sections.get(10)!.subarray(64);
  const relabelled = withSections(early, [[10, concatBytes(readZkey(initial).circuitHash, records)]]);
  await refused(relabelled, "ceremony/other-transcript");
});

test("a contribution whose proof was made for another transcript is refused", async () => {
  const elsewhere = await contributeByHand(curve, twice, 5n, { circuitHash: new Uint8Array(64).fill(3) });
  await refused(elsewhere, "ceremony/other-transcript", "contributions[2]");
  // the honest contribution that followed another one
  const other = await nextKey(curve, initial, once, secretStep("Eve", ""));
  const carried = await nextKey(curve, initial, other, secretStep("Bob", ""));
  const records = readZkey(carried).contributionRecords;
  const record = records.subarray(records.length - readZkey(once).contributionRecords.length);
  await refused(withRecord(twice, record), "ceremony/other-transcript", "contributions[2]");
});

test("a contribution given a second time is refused", async () => {
  const records = readZkey(once).contributionRecords;
  await refused(withRecord(once, records), "ceremony/replayed", "contributions[1]");
  assert.throws(() => checkOneMore(twice, twice), { code: "ceremony/nothing-added" });
  assert.throws(() => checkOneMore(twice, once), { code: "ceremony/not-a-continuation" });
});

test("a contribution that drops those before it is refused", async () => {
  const fork = await nextKey(curve, initial, initial, secretStep("Eve", ""));
  const longFork = await nextKey(curve, initial, fork, secretStep("Eve again", ""));
  const longerFork = await nextKey(curve, initial, longFork, secretStep("and again", ""));
  await checkReceived(curve, initial, longerFork);
  assert.throws(() => checkOneMore(twice, longerFork), { code: "ceremony/not-a-continuation" });
  const two = await nextKey(curve, initial, twice, secretStep("Eve", ""));
  const three = await nextKey(curve, initial, two, secretStep("Eve again", ""));
  assert.throws(() => checkOneMore(twice, three), { code: "ceremony/not-a-continuation" });
});

test("a delta left unchanged is refused, however well it is proven", async () => {
  await refused(await contributeByHand(curve, twice, 1n), "ceremony/delta-unchanged", "contributions[2]");
});

test("points at infinity, off the curve, of another group or in a second encoding are refused", async () => {
  for (const name of ["deltaAfter", "g1s", "g1sx"] as const) {
    const field = `contributions[1].${name}`;
    await refused(withLast(twice, { [name]: new Uint8Array(64) }), "key/infinity", field);
    const off = last(twice)[name].slice();
    off.set(last(once).deltaAfter.subarray(0, 32));
    await refused(withLast(twice, { [name]: off }), "key/off-curve", field);
    const again = last(twice)[name].slice();
    const x = again.subarray(0, 32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    again.set(uintLE(x + Q, 32));
    await refused(withLast(twice, { [name]: again }), "key/not-canonical", field);
  }
  const field = "contributions[1].g2spx";
  await refused(withLast(twice, { g2spx: new Uint8Array(128) }), "key/infinity", field);
  await refused(withLast(twice, { g2spx: curve.G2.fromObject(outsideG2()) }), "key/wrong-subgroup", field);
});

test("a proof of another factor, and a delta that is not the proven one, are refused", async () => {
  const { g2spx } = last(once);
  await refused(withLast(twice, { g2spx }), "ceremony/bad-proof", "contributions[1]");
  const deltaAfter = curve.G1.toAffine(curve.G1.timesScalar(curve.G1.g, 11n));
  await refused(withLast(twice, { deltaAfter }), "ceremony/delta-does-not-follow", "contributions[1]");
});

test("a delta in the key that is not the last contribution's is refused: phase 2 skipped or replaced", async () => {
  const { G1, G2 } = curve;
  const at = (name: "delta1" | "delta2", point: Uint8Array): Uint8Array =>
    withHeader(twice, HEADER_AT[name], point);
  await refused(at("delta1", G1.gAffine), "ceremony/delta-does-not-follow", "delta_1");
  await refused(at("delta2", G2.gAffine), "ceremony/delta-does-not-follow", "delta_2");
  await refused(at("delta2", readZkey(once).delta2), "ceremony/delta-does-not-follow", "delta_2");
  await refused(at("delta2", new Uint8Array(128)), "key/infinity", "delta_2");
  await refused(at("delta2", G2.fromObject(outsideG2())), "key/wrong-subgroup", "delta_2");
});

test("exchanged bases and anything else but delta changed is refused", async () => {
  const swapped = readZkey(twice).ic.slice();
  swapped.set(readZkey(twice).ic.subarray(64, 128), 128);
  swapped.set(readZkey(twice).ic.subarray(128, 192), 64);
  await refused(withSections(twice, [[3, swapped]]), "ceremony/changed-key", "bases (IC)");
  for (const [id, field] of [
    [4, "coefficients"],
    [5, "A"],
    [6, "B in G1"],
    [7, "B in G2"],
  ] as const) {
    const body = readZkey(twice).file.sections.get(id)!.slice();
    body[body.length - 1]! ^= 1;
    await refused(withSections(twice, [[id, body]]), "ceremony/changed-key", field);
  }
  for (const name of ["alpha1", "beta1", "beta2", "gamma2"] as const) {
    const other = name.endsWith("2") ? readZkey(twice).delta2 : readZkey(twice).delta1;
    await refused(withHeader(twice, HEADER_AT[name], other), "ceremony/changed-key", name);
  }
});

test("points that were not divided by delta, or are infinite, are refused", async () => {
  for (const [id, field] of [
    [8, "C"],
    [9, "H"],
  ] as const) {
    const earlier = readZkey(once).file.sections.get(id)!;
    await refused(withSections(twice, [[id, earlier]]), "ceremony/changed-key", field);
    const infinite = readZkey(twice).file.sections.get(id)!.slice();
    infinite.set(new Uint8Array(64));
    await refused(withSections(twice, [[id, infinite]]), "key/infinity", `${field}[0]`);
  }
});

test("one point of H off by a little is refused: the weights are 128 bits, every point has one", async () => {
  const h = readZkey(twice).h.slice();
  const point = h.slice(64 * 3, 64 * 4);
  h.set(curve.G1.toAffine(curve.G1.add(point, curve.G1.g)), 64 * 3);
  await refused(withSections(twice, [[9, h]]), "ceremony/changed-key", "H");
});

test("a key of another circuit is refused", async () => {
  const larger = readPtau(await makePtau(5));
  await refused(await checkedInitialKey(curve, 30, larger), "ceremony/other-circuit");
  await refused(await checkedInitialKey(curve, SIZE, larger), "ceremony/other-circuit");
});

test("a key that is cut anywhere is refused", async () => {
  for (const length of [0, 3, 11, 100, 5000, twice.length - 400, twice.length - 1])
    await refused(twice.subarray(0, length), "key/malformed");
  await refused(concatBytes(twice, Uint8Array.of(0)), "key/malformed");
});

test("a beacon that is not what it says, or not the last, is refused", async () => {
  const value = new Uint8Array(32).fill(9);
  const parameters = concatBytes(Uint8Array.of(2, 10, 3, 32), value);
  await refused(await contributeByHand(curve, twice, 5n, { parameters, type: 1 }), "ceremony/bad-beacon");
  const endless = concatBytes(Uint8Array.of(2, 63, 3, 32), value);
  await refused(
    await contributeByHand(curve, twice, 5n, { parameters: endless, type: 1 }),
    "ceremony/bad-beacon",
  );
  const ended = await nextKey(curve, initial, twice, beaconStep("beacon", { value, iterationsExp: 10 }));
  await checkReceived(curve, initial, ended);
  await refused(await contributeByHand(curve, ended, 5n), "ceremony/beacon-not-last");
});

test("parameters nobody knows, out of order or cut are refused", async () => {
  for (const parameters of [[9, 1, 0], [1, 1, 65, 1, 1, 65], [1, 200, 65], [2], [3, 4, 1, 1, 1, 1]])
    await refused(
      await contributeByHand(curve, twice, 5n, { parameters: Uint8Array.from(parameters) }),
      "key/malformed",
    );
});

/** A ceremony of one round with its key exchanged. */
async function tampered(folder: CeremonyFolder, zkey: Uint8Array): Promise<void> {
  const file = folder.roundFile(1, `${SIZE}.zkey`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, zkey);
}

test("nobody contributes to a key that is not right: the check comes first and cannot be left out", async (context) => {
  const folder = await begun(context, ptauBytes);
  await tampered(folder, withLast(once, { g2spx: last(twice).g2spx }));
  const made = makeRound(curve, folder, "Carol", secretStep("Carol", ""), { acceptUnknownPtau: true });
  await assert.rejects(made, { code: "ceremony/bad-proof" });
  assert.equal(folder.round(), 1);
  assert.equal(fs.existsSync(folder.file(".next")), false);
});
