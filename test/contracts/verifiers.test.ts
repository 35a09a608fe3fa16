import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { contractCode } from "../../runner/chain/bytecode.ts";
import { verifierName } from "../../runner/chain/verifiers.ts";
import { verifierSource } from "../../runner/keys/exportSolidity.ts";
import { pinnedKeys } from "../../runner/keys/pinned.ts";
import { fromHex, type Hex } from "../../runner/protocol/bytes.ts";
import { KEY_SIZES, type VerifyingKey, verifyingKeyHash } from "../../runner/protocol/key.ts";

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

/** The key that a verifier's source holds, with what only the pinned file knows of it. */
function keyIn(source: string, pinned: ReturnType<typeof pinnedKeys>[number]): VerifyingKey {
  const [, ...words] = [...source.matchAll(/0x([0-9a-f]{64})/g)].map(([, word]) => word!);
  assert.equal(words.length, 14, "a verifier holds its hash and 14 words");
  const point = (from: number, to: number): Uint8Array => fromHex(`0x${words.slice(from, to).join("")}`);
  return {
    size: pinned.size,
    r1csHash: fromHex(pinned.r1csHash, 32),
    alpha1: point(0, 2),
    beta2: point(2, 6),
    gamma2: point(6, 10),
    delta2: point(10, 14),
    ic0: fromHex(pinned.ic0, 64),
    basesHash: pinned.basesHash as Hex,
  };
}

test("the verifier of every size holds the pinned key and nothing else, the large ones too", () => {
  assert.deepEqual(
    pinnedKeys().map(({ size }) => size),
    [...KEY_SIZES],
  );
  for (const pinned of pinnedKeys()) {
    const source = read(`contracts/verifiers/${verifierName(pinned.size)}.sol`);
    const key = keyIn(source, pinned);
    // The hash covers every point: a changed word, or another key's, gives another.
    assert.equal(verifyingKeyHash(key), pinned.vkHash, verifierName(pinned.size));
    assert.equal(source, verifierSource(key, pinned.state));
    // Compiled from that source: scripts/generate-abi.ts --check.
    const { bytecode } = contractCode(verifierName(pinned.size));
    assert.equal(bytecode.split(pinned.vkHash.slice(2)).length, 2);
  }
});
