import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { ATTACKS } from "../../runner/demo/attacks/list.ts";
import { World } from "../../runner/demo/world.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";

/** On sessions, receipts and proofs. All in one world, which each leaves as it found it. */
const NAMES = [
  "weights-swapped",
  "other-adapters-proof",
  "replayed-proof",
  "forged-receipt",
  "inflated-tokens",
  "other-head",
  "old-receipt",
  "two-receipts",
  "receipts-denied",
  "repeated-pass",
  "dropped-pass",
  "never-serves",
  "witness-in-bundle",
  "guessed-activations",
  "bad-activations",
  "bad-answers",
  "wrong-scales",
  "stolen-session",
];

const shared = { world: undefined as World | undefined };

afterEach(() => shared.world?.clear());
after(async () => {
  await shared.world?.close();
  await (await loadCurve()).terminate();
});

for (const name of NAMES)
  test(`the attack '${name}' fails and gains nothing`, async (context) => {
    const attack = ATTACKS.find((candidate) => candidate.name === name);
    assert.ok(attack);
    shared.world ??= await World.open();
    const { how, gained } = await attack.run(shared.world);
    assert.equal(gained, 0n);
    assert.ok(how.length > 0);
    context.diagnostic(how);
  });
