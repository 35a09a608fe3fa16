/** A real chain that is turned back, and a node of it that is away, slow or behind: the service goes on by itself. */
import assert from "node:assert/strict";
import * as path from "node:path";
import { after, test } from "node:test";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { readAgreement } from "../../runner/chain/agreements.ts";
import { connect, domainOf } from "../../runner/chain/connect.ts";
import { closeAgreement, openAgreement } from "../../runner/chain/escrow.ts";
import { chainTime } from "../../runner/chain/finality.ts";
import { contributorChain } from "../../runner/contributor/chainAdapter.ts";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import type { ContributorEvent } from "../../runner/contributor/events.ts";
import { makeOffer } from "../../runner/contributor/offers.ts";
import { registerPeftAdapter } from "../../runner/contributor/register.ts";
import { type ContributorService, serve } from "../../runner/contributor/service.ts";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { testChain } from "../chain/localChain.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { TestBuyer } from "./buyer.ts";
import { type RpcProxy, rpcProxy } from "./rpcProxy.ts";
import { buyerSetting, randomAdapter, TERMS, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const chain = await testChain();
const payer = chain.as(2);
const proxy: RpcProxy = await rpcProxy({ after }, chain.rpcUrl);
const seller = await connect({
  rpcUrl: proxy.url,
  account: chain.as(1).account,
  deploymentFile: chain.deploymentFile,
});
const data = await openContributorData(path.join(temporaryDirectory({ after }), "data"));
const { account } = seller as Required<typeof seller>;
const { adapterId } = await registerPeftAdapter({
  data,
  chain: contributorChain(seller),
  contributor: account.address,
  adapter: randomAdapter(),
  modulesPerProof: 2,
});
const signed = await makeOffer(data, domainOf(seller), account, { adapterId, ...TERMS });
const agreements = new AgreementStore(data.database);

const ask = chain.connection.publicClient.request as (call: object) => Promise<unknown>;
const snapshot = () => ask({ method: "evm_snapshot", params: [] });
const turnBack = (to: unknown) => ask({ method: "evm_revert", params: [to] });
const phaseOf = ({ agreementId }: TestBuyer): string => agreements.get(agreementId).phase;
const isSettled = (buyer: TestBuyer) => (): boolean => phaseOf(buyer) === "settled";
const paid = async ({ agreementId }: TestBuyer): Promise<bigint> =>
  (await readAgreement(payer, agreementId)).paid;

async function serving(context: {
  after(work: () => Promise<void>): void;
}): Promise<{ service: ContributorService; events: ContributorEvent[] }> {
  const events: ContributorEvent[] = [];
  const service = await serve({
    data,
    chain: contributorChain(seller),
    account,
    maxAgeMs: 0,
    pollMs: 50,
    onEvent: (event) => events.push(event),
  });
  context.after(async () => {
    proxy.mode = "up";
    await service.close();
  });
  return { service, events };
}

let openings = 0n;
/** A buyer with an agreement on chain. */
async function opened({ url }: ContributorService): Promise<TestBuyer> {
  const key: Hex = generatePrivateKey();
  const { agreementId } = await openAgreement(payer, {
    ...signed,
    signer: privateKeyToAccount(key).address,
    amount: 200n,
    deadline: (await chainTime(payer)) + 7200n,
    nonce: ++openings,
  });
  const setting = { ...(await buyerSetting(url, { data, adapterId })), domain: domainOf(seller) };
  return new TestBuyer(setting, agreementId, key);
}

/** One that has paid for a pass of three tokens. */
async function paidPass(service: ContributorService): Promise<TestBuyer> {
  const buyer = await opened(service);
  await buyer.open();
  await buyer.pass(3);
  assert.equal((await buyer.pay()).status, 200);
  return buyer;
}

test("a settlement that vanishes with its block is sent again", async (context) => {
  const { service, events } = await serving(context);
  const buyer = await paidPass(service);
  const before = await snapshot();
  await buyer.end();
  await until(isSettled(buyer), "the settlement");
  assert.equal(await paid(buyer), 30n);
  await turnBack(before);
  assert.equal(await paid(buyer), 0n);
  await until(async () => (await paid(buyer)) === 30n, "the settlement, again");
  await until(isSettled(buyer), "its end");
  assert.ok(events.some((event) => event.type === "reopened" && event.was === "settled"));
});

test("an agreement whose opening vanishes is served no more; when it comes back, what was receipted is paid", async (context) => {
  const { service } = await serving(context);
  const before = await snapshot();
  const buyer = await opened(service);
  await buyer.open();
  await buyer.pass(3);
  await buyer.pay();
  await turnBack(before);
  const refused = await buyer.send(2, buyer.request([0, 1], 1).body);
  assert.notEqual(refused.status, 200);
  await until(() => phaseOf(buyer) === "ended", "the end of serving");
  assert.match(agreements.get(buyer.agreementId).reason!, /no longer on chain/);

  await openAgreement(payer, {
    ...signed,
    signer: buyer.signer.address,
    amount: 200n,
    deadline: BigInt(agreements.get(buyer.agreementId).deadline),
    nonce: openings,
  });
  await until(isSettled(buyer), "the settlement");
  assert.equal(await paid(buyer), 30n);
});

test("while the chain's node is away nothing new is served and nothing is lost; then it is settled", async (context) => {
  const { service, events } = await serving(context);
  const buyer = await paidPass(service);
  proxy.mode = "down";
  const refused = await buyer.send(2, buyer.request([0, 1], 1).body);
  assert.notEqual(refused.status, 200);
  assert.equal((await buyer.end()).status, 200);
  await until(() => events.some(({ type }) => type === "failed"), "word of it");
  assert.equal(phaseOf(buyer), "ended");
  proxy.mode = "up";
  await until(isSettled(buyer), "the settlement");
  assert.equal(await paid(buyer), 30n);
});

test("a slow node delays the settlement, no more", async (context) => {
  const { service } = await serving(context);
  const buyer = await paidPass(service);
  proxy.mode = "slow";
  await buyer.end();
  await until(isSettled(buyer), "the settlement");
  assert.equal(await paid(buyer), 30n);
});

test("a node that shows an older chain, where nobody has closed, settles in time all the same", async (context) => {
  const { service } = await serving(context);
  const buyer = await paidPass(service);
  proxy.behindBlock = await payer.publicClient.getBlockNumber();
  proxy.mode = "behind";
  const { deadline } = await closeAgreement(payer, buyer.agreementId);
  // The close is not seen; a pass more may be served, and what was receipted stays.
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(phaseOf(buyer), "serving");
  proxy.mode = "up";
  await until(isSettled(buyer), "the settlement");
  assert.equal(await paid(buyer), 30n);
  assert.ok((await chainTime(payer)) <= deadline);
});
