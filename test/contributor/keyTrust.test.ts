/** The contributor's tools refuse a key whose secrets are public where money has value. */
import assert from "node:assert/strict";
import * as path from "node:path";
import { after, test } from "node:test";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import { registerPeftAdapter } from "../../runner/contributor/register.ts";
import { serve } from "../../runner/contributor/service.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { MemoryChain } from "./memoryChain.ts";
import { randomAdapter } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

test("an adapter is neither registered nor served under a dev key off a local chain, but for the flag", async (context) => {
  const data = await openContributorData(path.join(temporaryDirectory(context), "data"));
  const account = privateKeyToAccount(generatePrivateKey());
  const chain = new MemoryChain(1n);
  chain.sender = account.address;
  const registration = { data, chain, contributor: account.address, adapter: randomAdapter() };
  await assert.rejects(registerPeftAdapter(registration), { code: "key/dev-key", field: "vkHash" });
  assert.deepEqual(chain.sent, []);
  await registerPeftAdapter({ ...registration, acceptForgeableDevKey: true });
  const serving = { data, chain, account, settle: false };
  // a service that starts all the same must not outlive the test
  const started = serve(serving).then((wrongly) => wrongly.close());
  await assert.rejects(started, { code: "key/dev-key" });
  const service = await serve({ ...serving, acceptForgeableDevKey: true });
  await service.close();
});
