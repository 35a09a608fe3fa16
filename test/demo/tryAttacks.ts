/** A test for each attack of a part, all in one world, which each leaves as it found it. */
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { ATTACKS } from "../../runner/demo/attacks/list.ts";
import { World } from "../../runner/demo/world.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";

export function tryAttacks(names: readonly string[]): void {
  const shared = { world: undefined as World | undefined };

  afterEach(() => shared.world?.clear());
  after(async () => {
    await shared.world?.close();
    await (await loadCurve()).terminate();
  });

  for (const name of names)
    test(`the attack '${name}' fails and gains nothing`, async (context) => {
      const attack = ATTACKS.find((candidate) => candidate.name === name);
      assert.ok(attack);
      shared.world ??= await World.open();
      const { how, gained } = await attack.run(shared.world);
      assert.equal(gained, 0n);
      assert.ok(how.length > 0);
      context.diagnostic(how);
    });
}
