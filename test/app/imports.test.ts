/** What the page is made of: nothing of Node, and of the runner only what only computes or reads. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ENTRIES = [
  "app/src/main.tsx",
  "app/src/verification/verify.worker.ts",
  "app/src/verification/prove.worker.ts",
];
/** `import type` and `export type` leave nothing in the page. */
const IMPORT =
  /(?:^|\n)(?:import|export)(?! type)[^;"']*?from\s*"([^"]+)"|(?:^|\n)import "([^"]+)"|import\("([^"]+)"\)/g;
/** Rooms whose files the page shares. */
const SHARED = new Set(["protocol", "wire", "chain"]);
/** Files of other rooms that only compute. */
const SHARED_FILES = new Set([
  "runner/buyer/clock.ts",
  "runner/buyer/opening/offer.ts",
  "runner/cli/amounts.ts",
  "runner/keys/verifyProof.ts",
  "runner/prover/proofEncoding.ts",
  "runner/prover/prove.ts",
]);

/** What else a page is made of. Another package may not run in a browser at all. */
const PACKAGES =
  /^(@noble\/(curves|hashes)\/|@tanstack\/react-query$|ffjavascript$|react(-dom)?(\/|$)|snarkjs$|viem$|virtual:|wagmi(\/|$)|zod$)/;

/** Everything the entries load, files by path and packages by name, with one file that asks for each. */
function reached(): Map<string, string> {
  const found = new Map<string, string>();
  const queue = ENTRIES.map((entry): [name: string, from: string] => [entry, "the page"]);
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [name, from] = next;
    if (found.has(name)) continue;
    found.set(name, from);
    const file = path.join(ROOT, name);
    if (!/\.tsx?$/.test(name) || !existsSync(file)) continue;
    for (const [, named, bare, lazy] of readFileSync(file, "utf8").matchAll(IMPORT)) {
      const target = (named ?? bare ?? lazy)!;
      queue.push([target.startsWith(".") ? path.join(path.dirname(name), target) : target, name]);
    }
  }
  return found;
}

const loaded = reached();

test("the page loads nothing of Node", () => {
  const wrong = [...loaded].filter(([name]) => name.startsWith("node:"));
  assert.deepEqual(wrong, []);
  assert.ok(loaded.size > 100);
});

test("the page loads no package but its own", () => {
  const wrong = [...loaded].filter(([name]) => !/^(app|runner|node)[/:]/.test(name) && !PACKAGES.test(name));
  assert.deepEqual(wrong, []);
});

test("the page shares with the runner only what computes or reads", () => {
  const wrong = [...loaded].filter(([name]) => {
    const room = /^runner\/(\w+)\//.exec(name)?.[1];
    return room !== undefined && !SHARED.has(room) && !SHARED_FILES.has(name);
  });
  assert.deepEqual(wrong, []);
});
