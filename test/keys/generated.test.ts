/** What is in git of the keys follows from the sources: keys.json and the Solidity verifiers. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { PinnedKey } from "../../runner/keys/artefacts.ts";
import { verifierSource } from "../../runner/keys/exportSolidity.ts";
import { pinnedKeys } from "../../runner/keys/pinned.ts";
import { concatBytes, fromHex } from "../../runner/protocol/bytes.ts";
import { type VerifyingKey, verifyingKeyHash } from "../../runner/protocol/key.ts";

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
});

/** The key whose hash and points a verifier should hold, from the points it holds and what is pinned of the rest. */
function keyIn(source: string, { size, r1csHash, ic0, basesHash }: PinnedKey): VerifyingKey {
  const points = (name: string): Uint8Array => {
    const literal = new RegExp(`key\\.${name} = \\[([^\\]]*)\\];`).exec(source)?.[1] ?? "";
    return concatBytes(...(literal.match(/0x[0-9a-f]{64}/g) ?? []).map((word) => fromHex(word, 32)));
  };
  return {
    size,
    r1csHash: fromHex(r1csHash, 32),
    alpha1: points("alpha1"),
    beta2: points("beta2"),
    gamma2: points("gamma2"),
    delta2: points("delta2"),
    ic0: fromHex(ic0, 64),
    basesHash,
  };
}

/** Without building the key: its hash covers the points, and nothing but points and hash is in a verifier. */
function checkVerifier(source: string, pinned: PinnedKey): void {
  const key = keyIn(source, pinned);
  assert.equal(verifyingKeyHash(key), pinned.vkHash);
  assert.equal(source, verifierSource(key, pinned.state));
}

const sourceOf = (size: number): string =>
  fs.readFileSync(new URL(`LoraVerifier${size}.sol`, VERIFIERS), "utf8");

for (const pinned of pinnedKeys())
  test(`the verifier of key ${pinned.size} holds the points its pinned hash covers, and no other code`, () => {
    const source = sourceOf(pinned.size);
    checkVerifier(source, pinned);
    // Any word of the key, and any code beside it.
    const words = source.match(/0x[0-9a-f]{64}/g)!;
    assert.equal(words.length, 15);
    for (const word of words) {
      const other = word.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
      assert.throws(() => checkVerifier(source.replace(word, other), pinned), { code: "ERR_ASSERTION" });
    }
    const open =
      "function verifyProof(uint256[2] calldata, Proof calldata) public pure override returns (bool) {";
    const forged = source.replace(/}\n$/, `    ${open} return true; }\n}\n`);
    assert.throws(() => checkVerifier(forged, pinned), { code: "ERR_ASSERTION" });
  });
