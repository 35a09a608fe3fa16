/** The one rule on keys whose secrets are public. Its callers are tested in their own places. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  describeKeyTrust,
  type KeyTrust,
  keyTrust,
  LOCAL_CHAIN_ID,
  refuseDevKey,
} from "../../runner/protocol/keyTrust.ts";

const DEV: KeyTrust = { state: "dev" };
const CEREMONY: KeyTrust = {
  state: "ceremony",
  contributions: 3,
  transcriptHash: `0x${"5c".repeat(32)}`,
};
const refused = { code: "key/dev-key", field: "vkHash" };

test("a dev key is for the local chain, or for whoever gives the flag that names the danger", () => {
  refuseDevKey(DEV, LOCAL_CHAIN_ID);
  refuseDevKey(DEV, BigInt(LOCAL_CHAIN_ID));
  for (const chainId of [1, 1n, 11155111, 31336, 31338n]) {
    assert.throws(() => refuseDevKey(DEV, chainId), refused);
    refuseDevKey(DEV, chainId, true);
    refuseDevKey(CEREMONY, chainId);
  }
});

test("a ceremony nobody contributed to, and a state nobody knows, count as dev", () => {
  const strange: unknown[] = [
    { ...CEREMONY, contributions: 0 },
    { ...CEREMONY, contributions: 0.5 },
    { ...CEREMONY, contributions: "3" },
    { ...CEREMONY, contributions: undefined },
    { ...CEREMONY, transcriptHash: "0x" },
    { state: "Ceremony", contributions: 3, transcriptHash: CEREMONY.transcriptHash },
    {},
  ];
  for (const key of strange) {
    assert.throws(() => refuseDevKey(key as KeyTrust, 1), refused);
    assert.match(describeKeyTrust(key as KeyTrust), /anyone can forge/);
  }
});

test("a key's trust is told in words, without its other fields", () => {
  assert.match(describeKeyTrust(CEREMONY), /ceremony of 3/);
  assert.deepEqual(keyTrust({ ...CEREMONY, size: 14 } as KeyTrust), CEREMONY);
  assert.deepEqual(keyTrust({ ...DEV, size: 14 } as KeyTrust), DEV);
});
