/** What strangers make the service ask of the chain's node, counted in front of a real one. */
import assert from "node:assert/strict";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { after, test } from "node:test";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { testAccount } from "../../runner/chain/accounts.ts";
import { readFinalParty } from "../../runner/chain/agreements.ts";
import { connect, domainOf } from "../../runner/chain/connect.ts";
import { openAgreement } from "../../runner/chain/escrow.ts";
import { chainTime } from "../../runner/chain/finality.ts";
import { readOpening } from "../../runner/chain/history.ts";
import { AgreementParties } from "../../runner/contributor/agreementParties.ts";
import { contributorChain } from "../../runner/contributor/chainAdapter.ts";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import { makeOffer } from "../../runner/contributor/offers.ts";
import { registerPeftAdapter } from "../../runner/contributor/register.ts";
import { serve } from "../../runner/contributor/service.ts";
import { type Hex, toHex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { random32 } from "../chain/agreement.ts";
import { testChain } from "../chain/localChain.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { TestBuyer } from "./buyer.ts";
import { buyerSetting, randomAdapter, TERMS } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

interface Call {
  id: number;
  method: string;
  params?: [{ fromBlock: Hex; toBlock: Hex }, string?];
}

/** Methods asked for, in order; and whether long searches are refused, as public nodes do. */
const asked: string[] = [];
/** Block the newest call was for. */
let calledAt: string | undefined;
let longestSearch = Number.POSITIVE_INFINITY;
const chain = await testChain();

async function forward(call: Call, body: string): Promise<string> {
  asked.push(call.method);
  if (call.method === "eth_call") calledAt = call.params?.[1];
  const search = call.method === "eth_getLogs" ? call.params?.[0] : undefined;
  if (search && Number(BigInt(search.toBlock) - BigInt(search.fromBlock)) >= longestSearch)
    return JSON.stringify({
      jsonrpc: "2.0",
      id: call.id,
      error: { code: -32602, message: "range too long" },
    });
  const headers = { "content-type": "application/json" };
  return (await fetch(chain.rpcUrl, { method: "POST", headers, body })).text();
}

const node = http.createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += String(part);
  response.setHeader("content-type", "application/json");
  response.end(await forward(JSON.parse(body) as Call, body));
});
await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
after(() => node.close());
const rpcUrl = `http://127.0.0.1:${(node.address() as AddressInfo).port}`;
const { deploymentFile } = chain;
const account = testAccount(1);
const seller = { ...(await connect({ rpcUrl, deploymentFile, account })), account };
const payer = chain.as(2);

const data = await openContributorData(path.join(temporaryDirectory({ after }), "data"));
const view = contributorChain(seller);
const { adapterId } = await registerPeftAdapter({
  data,
  chain: view,
  contributor: account.address,
  adapter: randomAdapter(),
  modulesPerProof: 2,
});
const signed = await makeOffer(data, domainOf(seller), account, { adapterId, ...TERMS });
// What is counted here is not what one address may ask, but what it costs.
const rateLimit = { perSecond: 1000, burst: 1000 };
const service = await serve({ data, chain: view, account, settle: false, pollMs: 600_000, rateLimit });
after(() => service.close());
const setting = { ...(await buyerSetting(service.url, { data, adapterId })), domain: domainOf(seller) };

async function opened(nonce: bigint): Promise<TestBuyer> {
  const key = generatePrivateKey();
  const { agreementId } = await openAgreement(payer, {
    ...signed,
    signer: privateKeyToAccount(key).address,
    amount: 200n,
    deadline: (await chainTime(payer)) + 7200n,
    nonce,
  });
  return new TestBuyer(setting, agreementId, key);
}

/** How often a method was asked for during some work. */
async function during(work: () => Promise<unknown>): Promise<Record<string, number>> {
  asked.length = 0;
  await work();
  return Object.fromEntries(
    [...new Set(asked)].map((name) => [name, asked.filter((m) => m === name).length]),
  );
}

const stranger = privateKeyToAccount(generatePrivateKey());
const strangersTry = async (buyer: TestBuyer): Promise<string | undefined> =>
  (await buyer.sign(await buyer.challenge(), stranger)).code;

test("whoever did not sign makes the service ask one thing once, and search nothing", async () => {
  const buyer = await opened(1n);
  const twenty = (who: TestBuyer) => () =>
    Promise.all(Array.from({ length: 20 }, () => strangersTry(who))).then((codes) => new Set(codes));
  assert.deepEqual(await during(twenty(buyer)), { eth_call: 1 });
  assert.deepEqual([...(await twenty(buyer)())], ["signature/wrong-signer"]);
  const nowhere = new TestBuyer(setting, random32());
  assert.deepEqual(await during(twenty(nowhere)), { eth_call: 1 });
  assert.equal((await buyer.open()).status, 201);
});

test("where blocks can be undone, only a final one tells whose an agreement is", async () => {
  const { agreementId, signer } = await opened(4n);
  for (const [chainId, block] of [
    [1, "finalized"],
    [seller.chainId, "latest"],
  ] as const) {
    const party = await readFinalParty({ ...seller, chainId }, agreementId);
    assert.deepEqual(party, { signer: signer.address, adapterId });
    assert.equal(calledAt, block);
    assert.equal(await readFinalParty({ ...seller, chainId }, random32()), undefined);
  }
});

test("an opening is found in one request where the node allows, and shared by those who ask meanwhile", async () => {
  const buyer = await opened(2n);
  await payer.publicClient.request({ method: "hardhat_mine", params: ["0x61a8"] } as never);
  const calls = await during(async () => {
    const answers = await Promise.all([buyer.open(), buyer.open(), buyer.open()]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 201, 201],
    );
  });
  assert.equal(calls["eth_getLogs"], 1);
});

test("where long searches are refused, the newest blocks are searched first", async () => {
  const buyer = await opened(3n);
  longestSearch = 10_000;
  // the whole range is refused, the newest page has it
  assert.equal((await during(async () => assert.equal((await buyer.open()).status, 201)))["eth_getLogs"], 2);
  // no longer tried; an opening 25,000 blocks ago is on the third page
  await payer.publicClient.request({ method: "hardhat_mine", params: ["0x61a8"] } as never);
  const calls = await during(async () => {
    const opening = await readOpening(seller, buyer.agreementId);
    assert.equal(opening?.offerHash, signed.offerHash);
  });
  assert.equal(calls["eth_getLogs"], 3);
});

test("only so many agreements are looked for at once; one that was not there is found soon after", async () => {
  const found = { signer: account.address, adapterId };
  let answer: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let there = false;
  let reads = 0;
  const parties = new AgreementParties({
    readParty: async () => {
      reads++;
      await held;
      return there ? found : undefined;
    },
  });
  const id = (n: number): Hex => toHex(new Uint8Array(32).fill(n));
  const waiting = Array.from({ length: 32 }, (_, n) => parties.find(id(n)));
  const tooMany = assert.rejects(parties.find(id(99)), { code: "wire/too-many-requests" });
  answer!();
  await tooMany;
  assert.deepEqual([...new Set(await Promise.all(waiting))], [undefined]);
  there = true;
  assert.deepEqual([await parties.find(id(0)), reads], [undefined, 32]);
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.deepEqual([await parties.find(id(0)), await parties.find(id(0)), reads], [found, found, 33]);
});
