/** The service as its operator runs it: a process on a real chain, told everything, grepped for secrets, then ended. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { connect } from "node:net";
import * as path from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { domainOf } from "../../runner/chain/connect.ts";
import { openAgreement } from "../../runner/chain/escrow.ts";
import { chainTime } from "../../runner/chain/finality.ts";
import { contributorChain } from "../../runner/contributor/chainAdapter.ts";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import { makeOffer } from "../../runner/contributor/offers.ts";
import { registerPeftAdapter } from "../../runner/contributor/register.ts";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import { fromHex, type Hex, toHex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { PATHS } from "../../runner/wire/paths.ts";
import { testChain } from "../chain/localChain.ts";
import { startJson } from "../cli/command.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { ask, TestBuyer } from "./buyer.ts";
import { readMetrics } from "./operated.ts";
import { rpcProxy } from "./rpcProxy.ts";
import { addAdapterSecrets, addSecret, Secrets, watchBuyer } from "./secrets.ts";
import { buyerSetting, randomAdapter, TERMS, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

interface Serving {
  url: string;
  operations: { url: string };
  admin: { url: string; tokenFile: string };
}

const chain = await testChain();
const [seller, payer] = [chain.as(1), chain.as(2)];
const proxy = await rpcProxy({ after }, chain.rpcUrl);
const directory = temporaryDirectory({ after });
const folder = path.join(directory, "data");
const logFile = path.join(directory, "logs", "service.log");
const passphraseFile = path.join(directory, "passphrase");
const passphrase = "what the vault is locked with";
fs.writeFileSync(passphraseFile, `${passphrase}\n`);

const secrets = new Secrets();
const nodeKey = "key-in-the-path-of-the-nodes-address";
/** Of test account 1, and public; here it stands for one that is not. */
const accountKey = fromHex("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
addSecret(secrets, "passphrase", passphrase);
addSecret(secrets, "key of the chain's node", nodeKey);
addSecret(secrets, "key of the account", accountKey);

const data = await openContributorData(folder, { passphrase });
after(() => data.close());
const { adapterId } = await registerPeftAdapter({
  data,
  chain: contributorChain(seller),
  contributor: seller.account.address,
  adapter: randomAdapter(),
  modulesPerProof: 2,
});
const signed = await makeOffer(data, domainOf(seller), seller.account, { adapterId, ...TERMS });
addAdapterSecrets(secrets, data, adapterId);
const agreements = new AgreementStore(data.database);

const serve = (context: { after(work: () => void): void }, logFormat: string) =>
  startJson<Serving>(
    context,
    [
      ...["serve", "--port", "0", "--metrics", "0", "--admin", "0", "--data", folder],
      ...["--rpc", `${proxy.url}/v3/${nodeKey}`, "--deployment", chain.deploymentFile],
      ...["--passphrase-file", passphraseFile, "--log-level", "debug", "--log-file", logFile],
      ...["--log-format", logFormat],
    ],
    { DELTAPAY_PRIVATE_KEY: toHex(accountKey) },
  );

let openings = 0n;
/** A buyer with a session. */
async function opened(url: string): Promise<TestBuyer> {
  const key: Hex = generatePrivateKey();
  const { agreementId } = await openAgreement(payer, {
    ...signed,
    signer: privateKeyToAccount(key).address,
    amount: 200n,
    deadline: (await chainTime(payer)) + 7200n,
    nonce: ++openings,
  });
  const setting = { ...(await buyerSetting(url, { data, adapterId })), domain: domainOf(seller) };
  const buyer = new TestBuyer(setting, agreementId, key);
  addSecret(secrets, "key of a buyer", fromHex(key));
  watchBuyer(secrets, buyer);
  assert.equal((await buyer.open()).status, 201);
  return buyer;
}

test("a whole run tells no secret, and two Ctrl-C of one terminal let the answer under way out", async (context) => {
  const service = await serve(context, "json");
  const { url, operations, admin } = service.ready;
  const [buyer, liar] = [await opened(url), await opened(url)];
  addSecret(secrets, "token of the admin API", fs.readFileSync(admin.tokenFile, "utf8").trim());
  await liar.pass(1);
  const refused = await liar.sendReceipt({ ...(await liar.receipt()), tokens: 0n });
  assert.equal(refused.code, "receipt/wrong-tokens");
  await ask(`${admin.url}/v1/admin/adapters`, { headers: { authorization: "Bearer wrong" } });
  await buyer.pass(2);
  assert.equal((await buyer.pay()).status, 200);
  proxy.mode = "down";
  await buyer.end();
  await until(() => service.output.stderr.includes('"failed"'), "word of the node that is away");
  proxy.mode = "up";
  await until(() => agreements.get(buyer.agreementId).phase === "settled", "the settlement");
  const page = [...(await readMetrics(operations.url))].flat().join("\n");
  assert.equal((await ask(`${operations.url}/healthz`)).json["ready"], true);

  const last = await opened(url);
  await last.pass(1);
  proxy.mode = "held";
  // Older than the chain's word may be: it is asked before the pass begins.
  await sleep(1100);
  const request = last.request([0, 1], 1);
  const pass = last.send(2, request.body);
  await sleep(500);
  service.signal("SIGINT");
  service.signal("SIGINT");
  await until(() => service.output.stderr.includes("stopping: "), "the end's beginning");
  proxy.mode = "up";
  assert.equal((await pass).status, 200);
  assert.equal(await service.ended, 0);
  await assert.rejects(fetch(url + PATHS.service));

  const { stdout, stderr } = service.output;
  const log = fs.readFileSync(logFile, "utf8");
  for (const text of [stderr, log])
    for (const told of [
      "listening",
      "answered",
      "receipt-refused",
      "proving",
      "settling",
      "settled",
      "failed",
    ])
      assert.ok(text.includes(`"type":"${told}"`), told);
  assert.equal(log.trim().split("\n").length, stderr.trim().split("\n").length);
  for (const line of log.trim().split("\n")) assert.equal(typeof JSON.parse(line).time, "string");
  assert.equal(fs.statSync(logFile).mode & 0o777, 0o600);
  for (const [where, text] of Object.entries({ stdout, stderr, log, page }))
    assert.deepEqual(secrets.in(text), [], where);
});

test("asked a second time the service ends at once; what it stored is there", async (context) => {
  const service = await serve(context, "pretty");
  const buyer = await opened(service.ready.url);
  await buyer.pass(2);
  assert.equal((await buyer.pay()).status, 200);
  // A request that never comes to its end keeps the service for some seconds.
  const socket = connect(Number(new URL(service.ready.url).port), "127.0.0.1");
  context.after(() => void socket.destroy());
  socket.on("error", () => {});
  socket.write(`POST ${PATHS.challenge} HTTP/1.1\r\nhost: x\r\n`);
  await sleep(100);
  service.signal("SIGTERM");
  await until(() => service.output.stderr.includes("stopping: "), "the end's beginning");
  await sleep(700);
  const asked = performance.now();
  service.signal("SIGTERM");
  assert.equal(await service.ended, 128 + 15);
  assert.ok(performance.now() - asked < 2000);
  assert.equal(agreements.get(buyer.agreementId).phase, "serving");
  const { stdout, stderr } = service.output;
  assert.match(stderr, /receipt for 1 passes, 2 tokens/);
  assert.deepEqual(secrets.in(stdout + stderr), []);
});
