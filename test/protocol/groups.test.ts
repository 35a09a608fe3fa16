import assert from "node:assert/strict";
import { test } from "node:test";
import { DeltapayError } from "../../runner/protocol/errors.ts";
import { assignGroups, keySizeFor } from "../../runner/protocol/groups.ts";

const code = (expected: string) => (error: unknown) =>
  error instanceof DeltapayError && error.code === expected;

test("one module per proof gives every module its own group and slot 0", () => {
  assert.deepEqual(assignGroups([4, 4, 2], 1), {
    group: [0, 1, 2],
    slot: [0, 0, 0],
    groups: 3,
    slotsNeeded: 4,
  });
});

test("several modules per proof take consecutive slots", () => {
  assert.deepEqual(assignGroups([4, 4, 2], 2), {
    group: [0, 0, 1],
    slot: [0, 4, 0],
    groups: 2,
    slotsNeeded: 8,
  });
  assert.deepEqual(assignGroups([4, 4, 2], "all"), {
    group: [0, 0, 0],
    slot: [0, 4, 8],
    groups: 1,
    slotsNeeded: 10,
  });
});

test("a group that would exceed the largest key starts another", () => {
  assert.deepEqual(assignGroups([8000, 190, 1], "all"), {
    group: [0, 0, 1],
    slot: [0, 8000, 0],
    groups: 2,
    slotsNeeded: 8190,
  });
});

test("counts, ranks and empty adapters that make no sense are refused", () => {
  for (const count of [0, -1, 1.5, Number.NaN])
    assert.throws(() => assignGroups([1], count), code("groups/bad-count"));
  for (const rank of [0, -1, 1.5]) assert.throws(() => assignGroups([rank], 1), code("groups/bad-rank"));
  assert.throws(() => assignGroups([], "all"), code("groups/bad-rank"));
  assert.throws(() => assignGroups([8191], "all"), code("groups/too-large"));
});

test("the key is the smallest that holds the slots", () => {
  assert.deepEqual([1, 14, 15, 510, 511, 8190].map(keySizeFor), [14, 14, 30, 510, 1022, 8190]);
  for (const slots of [8191, Number.NaN]) assert.throws(() => keySizeFor(slots), code("groups/too-large"));
});
