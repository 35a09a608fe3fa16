/** The contributor against the real contracts: register, offer, serve, settle, with money counted. */
import assert from "node:assert/strict";
import * as path from "node:path";
import { after, test } from "node:test";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { credits, readAgreement } from "../../runner/chain/agreements.ts";
import { domainOf } from "../../runner/chain/connect.ts";
import { closeAgreement, openAgreement } from "../../runner/chain/escrow.ts";
import { chainTime } from "../../runner/chain/finality.ts";
import { contributorChain } from "../../runner/contributor/chainAdapter.ts";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import type { ContributorEvent } from "../../runner/contributor/events.ts";
import { makeOffer } from "../../runner/contributor/offers.ts";
import { registerPeftAdapter } from "../../runner/contributor/register.ts";
import { serve } from "../../runner/contributor/service.ts";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { PATHS } from "../../runner/wire/paths.ts";
import { testChain } from "../chain/localChain.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { TestBuyer } from "./buyer.ts";
import { buyerSetting, randomAdapter, TERMS, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const chain = await testChain();
const [seller, payer] = [chain.as(1), chain.as(2)];
const data = await openContributorData(path.join(temporaryDirectory({ after }), "data"));
const view = contributorChain(seller);
const account = seller.account;
const { adapterId } = await registerPeftAdapter({
  data,
  chain: view,
  contributor: account.address,
  adapter: randomAdapter(),
  modulesPerProof: 2,
});
const signed = await makeOffer(data, domainOf(seller), account, { adapterId, ...TERMS });
const events: ContributorEvent[] = [];
const service = await serve({
  data,
  chain: view,
  account,
  maxAgeMs: 0,
  onEvent: (event) => events.push(event),
});
after(() => service.close());
const setting = { ...(await buyerSetting(service.url, { data, adapterId })), domain: domainOf(seller) };
const phase = (agreementId: Hex): string => new AgreementStore(data.database).get(agreementId).phase;

async function openedOnChain(nonce: bigint): Promise<TestBuyer> {
  const key = generatePrivateKey();
  const { agreementId } = await openAgreement(payer, {
    ...signed,
    signer: privateKeyToAccount(key).address,
    amount: 200n,
    deadline: (await chainTime(payer)) + 7200n,
    nonce,
  });
  const buyer = new TestBuyer(setting, agreementId, key);
  assert.equal((await buyer.open()).status, 201);
  return buyer;
}

test("served, receipted, proven and paid for on chain", async () => {
  const before = await credits(seller, signed.offer.token, account.address);
  const buyer = await openedOnChain(1n);
  await buyer.pass(3);
  await buyer.pass(4);
  assert.equal((await buyer.pay()).status, 200);
  await buyer.pass(1);
  assert.equal((await buyer.pay()).status, 200);
  await buyer.end();
  await until(() => phase(buyer.agreementId) === "settled", "the settlement");
  const gained = (await credits(seller, signed.offer.token, account.address)) - before;
  assert.equal(gained, TERMS.openingFee + 8n * TERMS.pricePerToken);
  const shown = (await buyer.get(PATHS.session)).json;
  const sent = events.find((event) => event.type === "settling");
  assert.equal(shown["settlement"], sent?.txHash);
  // settled by an earlier run: found on chain, nothing is sent
  const again = await service.settlement.settleAgreement(buyer.agreementId);
  assert.equal(again.status, "settled");
  assert.equal(events.filter((event) => event.type === "settling").length, 1);
});

test("a buyer who closes without a word is settled with its last receipt in time", async () => {
  const buyer = await openedOnChain(2n);
  await buyer.pass(5);
  await buyer.pay();
  await buyer.pass(2);
  const { deadline } = await closeAgreement(payer, buyer.agreementId);
  await until(() => phase(buyer.agreementId) === "settled", "the settlement");
  assert.equal((await buyer.send(3, buyer.request([0], 1).body)).code, "session/ended");
  const { paid, status } = await readAgreement(payer, buyer.agreementId);
  assert.deepEqual([paid, status], [50n, "closing"]);
  assert.ok((await chainTime(payer)) < deadline);
});
