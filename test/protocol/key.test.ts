import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCommitKey } from "../../runner/keys/load.ts";
import { decodeKeyPoints } from "../../runner/protocol/commitment.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { Q } from "../../runner/protocol/field.ts";
import { type CommitKey, decodeCommitKey, encodeCommitKey, vkHash } from "../../runner/protocol/key.ts";
import { terminateCurveAfterwards } from "./scenario.ts";

terminateCurveAfterwards();

const POINT = 64;

/** The key with its bases changed. */
async function withBases(change: (bases: Uint8Array) => void): Promise<CommitKey> {
  const key = await loadCommitKey(14);
  const bases = key.bases.slice();
  change(bases);
  return { ...key, bases };
}

test("a key's bases are points, none at infinity, none twice, none opposite", async () => {
  const curve = await loadCurve();
  const refused = async (code: string, change: (bases: Uint8Array) => void): Promise<void> => {
    await assert.rejects(decodeKeyPoints(curve, await withBases(change)), { code });
  };
  await decodeKeyPoints(curve, await withBases(() => {}));
  await refused("point/infinity", (bases) => bases.fill(0, 0, POINT));
  await refused("point/off-curve", (bases) => bases.set([bases[POINT - 1]! ^ 1], POINT - 1));
  await refused("key/repeated-base", (bases) => bases.copyWithin(POINT, 0, POINT));
  await refused("key/repeated-base", (bases) => {
    bases.copyWithin(POINT, 0, POINT);
    const y = BigInt(`0x${Buffer.from(bases.subarray(32, POINT)).toString("hex")}`);
    bases.set(Buffer.from((Q - y).toString(16).padStart(64, "0"), "hex"), POINT + 32);
  });
});

test("a commit key survives its file, and its hash covers every field", async () => {
  const key = await loadCommitKey(14);
  assert.deepEqual(decodeCommitKey(encodeCommitKey(key)), key);
  const hashes = new Set([vkHash(key)]);
  for (const field of ["r1csHash", "alpha1", "beta2", "gamma2", "delta2", "ic0", "bases"] as const)
    hashes.add(vkHash({ ...key, [field]: key[field].with(0, key[field][0]! ^ 1) }));
  hashes.add(vkHash({ ...key, size: 30 }));
  assert.equal(hashes.size, 9);
});

test("a malformed commit key file is refused", async () => {
  const file = encodeCommitKey(await loadCommitKey(14));
  for (const wrong of [
    file.subarray(1),
    file.subarray(0, 40),
    file.with(0, 0),
    file.with(32, 15),
    file.slice(0, -1),
  ])
    assert.throws(() => decodeCommitKey(wrong), { code: "key/malformed" });
});
