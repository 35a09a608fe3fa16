/**
 * Single and batch verification against two other implementations, on real proofs and on proofs changed in every field:
 * snarkjs, which made them, and a verifier on @noble/curves. None that changes the statement is accepted by any.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import type { Hex } from "viem";
import { loadProvingKey } from "../../runner/keys/load.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { type CommitKey, vkHash } from "../../runner/protocol/key.ts";
import { readProofVectors, wordsOf } from "../vectors/proofs.ts";
import { changedWord, type Draw, type Mutated, mutationsOf, rerandomised } from "./differential/mutations.ts";
import {
  type ClaimWords,
  isWellFormed,
  type KeyWords,
  verify,
  verifyBatch,
} from "./differential/secondVerifier.ts";
import {
  keyWordsOf,
  placeVerifier,
  productVerdict,
  snarkjsVerdict,
  solidityBatchVerdict,
  solidityVerdict,
} from "./differential/verifiers.ts";
import { type Setting, startSetting } from "./setting.ts";

/** Selector of Panic(uint256). */
const PANIC = "0x4e487b71";

/** Another number tries other bits and scalars: DELTAPAY_TEST_SEED=7. */
const SEED = process.env["DELTAPAY_TEST_SEED"] ?? "1";
let drawn = 0;
const draw: Draw = (limit) => {
  const digest = createHash("sha512").update(`${SEED}/${drawn++}`).digest("hex");
  return BigInt(`0x${digest}`) % limit;
};

const curve = await loadCurve();
after(() => curve.terminate());
let tried = 0;

interface Scene {
  setting: Setting;
  commitKey: CommitKey;
  key: KeyWords;
  claims: ClaimWords[];
}

const vectors = readProofVectors();

async function sceneOf(size: number): Promise<Scene> {
  const { commitKey } = await loadProvingKey(size);
  const { vkHash: hash, proofs } = vectors.get(size)!;
  assert.equal(
    vkHash(commitKey),
    hash,
    "the proofs are of another key: scripts/generate-proof-vectors.ts --prove",
  );
  return {
    setting: await startSetting(`LoraVerifier${size}`),
    commitKey,
    key: keyWordsOf(commitKey),
    claims: proofs.map(wordsOf),
  };
}

/** All verdicts on one claim are `expected`; snarkjs alone is asked where it can express the claim. */
async function assertVerdicts(scene: Scene, { name, words }: Mutated, expected: boolean): Promise<void> {
  const { setting, commitKey, key } = scene;
  assert.equal(await solidityVerdict(setting, setting.verifier, words), expected, `Solidity: ${name}`);
  assert.equal(verify(key, words), expected, `noble: ${name}`);
  assert.equal(await productVerdict(commitKey, words), expected, `the parties' check: ${name}`);
  if (isWellFormed(words)) assert.equal(await snarkjsVerdict(key, words), expected, `snarkjs: ${name}`);
}

for (const { size, count } of [
  { size: 14, count: 2 },
  { size: 62, count: 1 },
  { size: 510, count: 1 },
])
  test(`all verifiers agree on ${count} proofs of key ${size} and on every change of them`, async (t) => {
    const scene = await sceneOf(size);
    let wellFormed = 0;
    for (const [i, words] of scene.claims.slice(0, count).entries()) {
      await assertVerdicts(scene, { name: "unchanged", words: [...words] }, true);
      const other = scene.claims[(i + 1) % scene.claims.length]!;
      const mutations = mutationsOf(words, other, scene.key, draw);
      assert.ok(mutations.length >= 200 && mutations.some(({ sameStatement }) => sameStatement));
      for (const mutated of mutations) await assertVerdicts(scene, mutated, mutated.sameStatement === true);
      wellFormed += mutations.filter((mutated) => isWellFormed(mutated.words)).length;
      tried += mutations.length;
    }
    t.diagnostic(`${wellFormed} of the changed claims were well formed`);
  });

/** Batches of real claims in which one is changed: all that is well formed, one in `share` of the rest, over all positions. */
for (const { size, lengths, share } of [
  { size: 14, lengths: [2, 3, 5], share: 1 },
  { size: 62, lengths: [3], share: 4 },
])
  test(`a batch under key ${size} is accepted exactly when each of its proofs is`, async (t) => {
    const { setting, key, claims } = await sceneOf(size);
    let count = 0;
    let compared = 0;
    for (const length of lengths) {
      const batch = claims.slice(0, length);
      const seed: Hex = `0x${draw(2n ** 256n)
        .toString(16)
        .padStart(64, "0")}`;
      const assertBatch = async (name: string, changed: ClaimWords[], expected: boolean): Promise<void> => {
        const found = await solidityBatchVerdict(setting, setting.verifier, seed, changed);
        assert.equal(found, expected, `Solidity: ${length} proofs, ${name}`);
        // The pairing of a batch takes the second verifier some time: every claim was tried alone above.
        if (!changed.every(isWellFormed) || count % 7 !== 0) return;
        compared++;
        assert.equal(verifyBatch(key, seed, changed), expected, `noble: ${length} proofs, ${name}`);
      };
      assert.equal(verifyBatch(key, seed, batch), true);
      await assertBatch("unchanged", batch, true);
      for (let at = 0; at < length; at++) {
        const other = claims[(at + 1) % claims.length]!;
        const all = mutationsOf(batch[at]!, other, key, draw);
        const chosen = all.filter((mutated, i) => isWellFormed(mutated.words) || i % (share * length) === at);
        for (const { name, words, sameStatement } of chosen) {
          await assertBatch(`claim ${at}: ${name}`, batch.with(at, words), sameStatement === true);
          count++;
        }
      }
      const reversed = batch.map((words, i) => [...words.slice(0, 2), ...batch.at(-1 - i)!.slice(2)]);
      await assertBatch("proofs in reverse", length === 1 ? batch : reversed, false);
      await assertBatch("claims in reverse", batch.toReversed(), true);
      await assertBatch(
        "one claim for all",
        batch.map(() => batch[0]!),
        true,
      );
      await assertBatch(
        "all proven anew",
        batch.map((words) => rerandomised(words, key, draw)[1]!.words),
        true,
      );
    }
    assert.equal(await solidityBatchVerdict(setting, setting.verifier, `0x${"00".repeat(32)}`, []), false);
    tried += count;
    t.diagnostic(`${count} changed batches, ${compared} of them compared with the second verifier's pairing`);
    assert.ok(compared >= 10);
  });

test("a verifier whose key differs in any field refuses what the key's own accepts", async () => {
  const { setting, key, claims } = await sceneOf(14);
  const { claims: ofOther, key: otherKey } = await sceneOf(62);
  const code = (await setting.request("eth_getCode", [setting.verifier, "latest"])) as Hex;
  const claim = claims[0]!;
  const assertKey = async (name: string, words: KeyWords, expected: boolean): Promise<void> => {
    const verifier = await placeVerifier(setting, { code, key }, words);
    // A coordinate of alpha1 above the modulus cannot be negated: checked arithmetic reverts, which refuses as well.
    const found = await solidityVerdict(setting, verifier, claim).catch((error: { data?: string }) => {
      if (error.data?.startsWith(PANIC) !== true) throw error;
      return false;
    });
    assert.equal(found, expected, `Solidity: ${name}`);
    assert.equal(verify(words, claim), expected, `noble: ${name}`);
    if (!expected)
      assert.equal(await solidityBatchVerdict(setting, verifier, `0x${"11".repeat(32)}`, claims), false);
    tried++;
  };
  await assertKey("its own", key, true);
  for (const [i, word] of key.entries())
    for (const [how, changed] of changedWord(word, draw)) {
      await assertKey(`word ${i} ${how}`, key.with(i, changed), false);
    }
  const fields = { alpha1: [0, 2], beta2: [2, 6], gamma2: [6, 10], delta2: [10, 14] } as const;
  for (const [name, [from, to]] of Object.entries(fields)) {
    const foreign = [...key.slice(0, from), ...otherKey.slice(from, to), ...key.slice(to)];
    if (name !== "gamma2")
      await assertKey(
        `${name} of key 62`,
        foreign,
        foreign.every((word, i) => word === key[i]),
      );
  }
  await assertKey(
    "beta2 and delta2 exchanged",
    [...key.slice(0, 2), ...key.slice(10), ...key.slice(6, 10), ...key.slice(2, 6)],
    false,
  );
  await assertKey("key 62", otherKey, false);
  assert.equal(verify(otherKey, ofOther[0]!), true);
});

test("at least 2,000 changes were tried", (t) => {
  t.diagnostic(`${tried} changes`);
  assert.ok(tried >= 2_000, `${tried}`);
});
