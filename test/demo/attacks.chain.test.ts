import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { ATTACKS } from "../../runner/demo/attacks/list.ts";
import { World } from "../../runner/demo/world.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";

/** Before `open`, on keys and on the contracts. All in one world, which each leaves as it found it. */
const NAMES = [
  "hidden-delta",
  "foreign-slots",
  "key-of-infinities",
  "contribution-before-move",
  "true-verifier",
  "proxy-verifier",
  "own-key-verifier",
  "groups-mismatch",
  "key-mismatch",
  "contributor-mismatch",
  "manifest-swapped",
  "stale-or-foreign-record",
  "dev-key-elsewhere",
  "terms-changed",
  "resigned-offer",
  "cancelled-offer",
  "exhausted-offer",
  "claim-twice",
  "cancelling-proofs",
  "malformed-points",
  "settle-late",
  "settle-twice",
  "release-then-settle",
  "refund-early",
  "refund-twice",
  "reverting-receiver",
  "stranger-settles",
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
