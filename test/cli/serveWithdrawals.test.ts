import assert from "node:assert/strict";
import { test } from "node:test";
import { zeroAddress } from "viem";
import type { ChainContext } from "../../runner/chain/connect.ts";
import { withdrawalOf } from "../../runner/cli/serveWithdrawals.ts";

const TO = "0x00000000000000000000000000000000000000fe";
/** ETH is known without asking anybody. */
const chain = {} as ChainContext;

test("earnings are taken out only where address and amount are said", async () => {
  const flags = { withdrawToken: zeroAddress };
  assert.deepEqual(await withdrawalOf(chain, flags), {});
  for (const half of [{ withdrawTo: TO } as const, { withdrawAt: "1eth" }])
    await assert.rejects(withdrawalOf(chain, { ...flags, ...half }), { code: "usage/bad-value" });
  await assert.rejects(withdrawalOf(chain, { ...flags, withdrawTo: TO, withdrawAt: "0" }), {
    code: "usage/bad-value",
    field: "withdraw-at",
  });
  assert.deepEqual(await withdrawalOf(chain, { ...flags, withdrawTo: TO, withdrawAt: "0.5gwei" }), {
    withdraw: { token: zeroAddress, to: TO, at: 500_000_000n },
  });
});
