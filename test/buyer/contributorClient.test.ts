import assert from "node:assert/strict";
import { test } from "node:test";
import { BUNDLE_BYTES } from "../../runner/buyer/client/contributorClient.ts";
import { MAX_GROUPS } from "../../runner/protocol/layout.ts";
import { bundleSchema, stringifyMessage } from "../../runner/wire/messages.ts";

test("the longest bundle of an adapter with the most groups is read whole, and no body far beyond it", () => {
  const [word, id] = [2n ** 256n - 1n, `0x${"f".repeat(64)}` as const];
  const [pair, longest] = [[word, word] as const, 2n ** 64n - 1n];
  const bundle = stringifyMessage({
    protocol: 1,
    chainId: longest,
    escrow: id.slice(0, 42),
    agreementId: id,
    vkHash: id,
    receipt: { agreementId: id, passes: longest, tokens: longest, head: id, statementsHash: id },
    signature: `0x${"f".repeat(130)}`,
    V: Array.from({ length: MAX_GROUPS }, () => pair),
    claims: Array.from({ length: MAX_GROUPS }, (_, group) => ({
      group,
      a: pair,
      b: [...pair, ...pair],
      c: pair,
    })),
  });
  assert.equal(bundleSchema.parse(JSON.parse(bundle)).claims.length, MAX_GROUPS);
  assert.ok(bundle.length <= BUNDLE_BYTES, `${bundle.length} bytes`);
  assert.ok(bundle.length > 0.75 * BUNDLE_BYTES, `${bundle.length} of ${BUNDLE_BYTES} bytes`);
});
