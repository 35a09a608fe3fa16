import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTACKS } from "../../runner/demo/attacks/list.ts";
import { PARTS } from "./parts.ts";
import { tryAttacks } from "./tryAttacks.ts";

tryAttacks(PARTS.answers);

test("every attack that is listed is tried by one of the test files", () => {
  assert.deepEqual(Object.values(PARTS).flat().sort(), ATTACKS.map(({ name }) => name).sort());
});
