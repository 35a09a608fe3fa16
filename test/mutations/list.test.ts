/** Mutations that would say nothing: code that is not there any more, tests that are gone. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { MUTATIONS } from "./list.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test("every mutation has a name of its own", () => {
  assert.equal(new Set(MUTATIONS.map(({ name }) => name)).size, MUTATIONS.length);
});

test("what every mutation takes out is there, once, and so is its test", () => {
  const stale = MUTATIONS.filter(({ file, find, replace, test: tried }) => {
    const occurrences = readFileSync(`${ROOT}${file}`, "utf8").split(find).length - 1;
    return occurrences !== 1 || find === replace || !existsSync(`${ROOT}${tried}`);
  });
  assert.deepEqual(
    stale.map(({ name }) => name),
    [],
  );
});
