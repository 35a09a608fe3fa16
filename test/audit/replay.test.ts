/** The network an audit replays on, where chains differ. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readRelease } from "../../runner/audit/release.ts";
import { startReplayNetwork } from "../../runner/audit/replay/network.ts";

test("a transaction of more gas than EIP-7825 allows, from a chain that does not have it", async (context) => {
  const time = 1_800_000_000n;
  const network = await startReplayNetwork(31337n, time, [readRelease().registry]);
  context.after(() => network.close());
  const call = { from: `0x${"11".repeat(20)}`, to: `0x${"22".repeat(20)}`, value: 0n };
  const { status, gasUsed } = await network.send({ ...call, data: `0x${"11".repeat(500_000)}` }, time);
  assert.equal(BigInt(status), 1n);
  assert.ok(BigInt(gasUsed) > 2n ** 24n);
});
