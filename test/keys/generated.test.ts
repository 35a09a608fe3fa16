/** What is in git of the keys follows from the sources: keys.json and the Solidity verifiers. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { pinnedKeys } from "../../runner/keys/pinned.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/generate-keys.ts", import.meta.url));
const VERIFIERS = new URL("../../contracts/verifiers/", import.meta.url);

test("regenerating the keys up to 510 changes nothing, to the byte", async () => {
  const { stderr } = await promisify(execFile)(process.execPath, [SCRIPT, "--check", "--max", "510"]);
  assert.equal(stderr.match(/^key \d+: /gm)?.length, 6);
});

test("every pinned key has its verifier, and there is no other", () => {
  assert.deepEqual(
    fs.readdirSync(VERIFIERS).sort(),
    pinnedKeys()
      .map(({ size }) => `LoraVerifier${size}.sol`)
      .sort(),
  );
  for (const { size, vkHash } of pinnedKeys()) {
    const source = fs.readFileSync(new URL(`LoraVerifier${size}.sol`, VERIFIERS), "utf8");
    assert.ok(source.includes(`return ${vkHash};`), `LoraVerifier${size}`);
  }
});
