/** A settlement nobody mines, on a node that mines only when told: raised, replaced, and mined once. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { domainOf } from "../../runner/chain/connect.ts";
import { openAgreement } from "../../runner/chain/escrow.ts";
import { chainTime } from "../../runner/chain/finality.ts";
import { readSettlements } from "../../runner/chain/history.ts";
import { loadServedAdapter } from "../../runner/contributor/adapters.ts";
import { contributorChain } from "../../runner/contributor/chainAdapter.ts";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import type { ContributorEvent } from "../../runner/contributor/events.ts";
import { keptProvers, PINNED_KEYS } from "../../runner/contributor/loadAdapters.ts";
import { makeOffer } from "../../runner/contributor/offers.ts";
import { registerPeftAdapter } from "../../runner/contributor/register.ts";
import { serve } from "../../runner/contributor/service.ts";
import { Settlement } from "../../runner/contributor/settlement.ts";
import { ProofStore } from "../../runner/contributor/store/proofs.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { testChain } from "../chain/localChain.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { TestBuyer } from "./buyer.ts";
import { buyerSetting, randomAdapter, TERMS, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const CHILD = fileURLToPath(new URL("settleChild.ts", import.meta.url));
const chain = await testChain();
const [seller, payer] = [chain.as(1), chain.as(2)];
const folder = path.join(temporaryDirectory({ after }), "data");
const data = await openContributorData(folder);
const { account } = seller;
const { adapterId } = await registerPeftAdapter({
  data,
  chain: contributorChain(seller),
  contributor: account.address,
  adapter: randomAdapter(),
  modulesPerProof: 2,
});
const signed = await makeOffer(data, domainOf(seller), account, { adapterId, ...TERMS });
const proofs = new ProofStore(data.database);
const provers = keptProvers(PINNED_KEYS);

const ask = chain.connection.publicClient.request as (call: object) => Promise<unknown>;
const mine = (): Promise<unknown> => ask({ method: "evm_mine", params: [] });
const automine = (on: boolean): Promise<unknown> => ask({ method: "evm_setAutomine", params: [on] });
const nonce = (blockTag: "latest" | "pending"): Promise<number> =>
  seller.publicClient.getTransactionCount({ address: account.address, blockTag });

/** An agreement served, receipted and ended. */
async function ended(opening: bigint): Promise<Hex> {
  await automine(true);
  const service = await serve({ data, chain: contributorChain(seller), account, settle: false, maxAgeMs: 0 });
  const key = generatePrivateKey();
  const { agreementId } = await openAgreement(payer, {
    ...signed,
    signer: privateKeyToAccount(key).address,
    amount: 200n,
    deadline: (await chainTime(payer)) + 7200n,
    nonce: opening,
  });
  const setting = { ...(await buyerSetting(service.url, { data, adapterId })), domain: domainOf(seller) };
  const buyer = new TestBuyer(setting, agreementId, key);
  await buyer.open();
  await buyer.pass(3);
  assert.equal((await buyer.pay()).status, 200);
  await buyer.end();
  await service.close();
  await automine(false);
  return agreementId;
}

/** As a process that has just started would settle. */
function settlement(waitMs: number, onEvent: (event: ContributorEvent) => void = () => {}): Settlement {
  const adapter = loadServedAdapter(data, adapterId);
  const view = contributorChain(seller, { waitMs });
  return new Settlement({ data, chain: view, adapter: () => adapter, prover: provers, onEvent });
}

const newest = (agreementId: Hex) => proofs.newestTransaction(agreementId, 1n)!;

/** Mines whenever something is sent, soon after. */
const mineOnSent = ({ type }: ContributorEvent): void => {
  if (type === "settling") setTimeout(() => void mine(), 300);
};

test("a settlement that is stuck is sent again with its nonce for an eighth more, and mined once", async () => {
  const agreementId = await ended(1n);
  const before = await nonce("latest");
  await assert.rejects(settlement(200).settleAgreement(agreementId), { code: "chain/not-mined" });
  const first = newest(agreementId);
  assert.equal(first.nonce, before);
  await assert.rejects(settlement(200).settleAgreement(agreementId), { code: "chain/not-mined" });
  const second = newest(agreementId);
  assert.equal(second.nonce, before);
  for (const fee of ["maxFeePerGas", "maxPriorityFeePerGas"] as const)
    assert.ok(second[fee] * 8n >= first[fee] * 9n, `${fee}: ${first[fee]}, then ${second[fee]}`);
  assert.equal(await nonce("pending"), before + 1, "one is waiting, not two");
  await mine();
  const outcome = await settlement(10_000).settleAgreement(agreementId);
  assert.deepEqual([outcome.status, outcome.txHash], ["settled", second.hash]);
  assert.equal(await nonce("latest"), before + 1);
  assert.equal((await readSettlements(seller, agreementId)).length, 1);
});

test("a process killed between sending and mining leaves what the next one goes on with", async () => {
  const agreementId = await ended(2n);
  const before = await nonce("latest");
  const args = [CHILD, folder, chain.rpcUrl, chain.deploymentFile, agreementId];
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  const gone = once(child, "exit");
  await until(async () => (await nonce("pending")) === before + 1, "the transaction");
  child.kill("SIGKILL");
  await gone;
  const sent = newest(agreementId);
  assert.deepEqual([sent.nonce, sent.from], [before, account.address]);
  // Its time is not over: nothing else is sent.
  const waiting = settlement(60_000).settleAgreement(agreementId);
  setTimeout(() => void mine(), 500);
  assert.equal((await waiting).status, "settled");
  assert.deepEqual(proofs.transactions(agreementId), [sent.hash]);
  assert.equal(await nonce("latest"), before + 1);
});

test("one that was written down but never reached a node is sent with the same nonce, once", async () => {
  const agreementId = await ended(3n);
  const before = await nonce("latest");
  await assert.rejects(settlement(200).settleAgreement(agreementId), { code: "chain/not-mined" });
  const lost = newest(agreementId);
  assert.equal(await ask({ method: "hardhat_dropTransaction", params: [lost.hash] }), true);
  const outcome = await settlement(10_000, mineOnSent).settleAgreement(agreementId);
  assert.equal(outcome.status, "settled");
  assert.deepEqual([newest(agreementId).nonce, await nonce("latest")], [before, before + 1]);
});

test("behind another transaction that is stuck, and beyond ten times the market, nothing is raised", async () => {
  const agreementId = await ended(4n);
  const before = await nonce("latest");
  const other = { to: account.address, value: 0n, gas: 21_000n, nonce: before, chain: null };
  const blocking = await seller.walletClient!.sendTransaction(other);
  await assert.rejects(settlement(200).settleAgreement(agreementId), { code: "chain/not-mined" });
  assert.equal(newest(agreementId).nonce, before + 1);
  await assert.rejects(settlement(200).settleAgreement(agreementId), { code: "chain/queued" });
  assert.equal(proofs.transactions(agreementId).length, 1);
  // Gone from the pool, it leaves a nonce that must be used before any other.
  await ask({ method: "hardhat_dropTransaction", params: [blocking] });
  await assert.rejects(settlement(200).settleAgreement(agreementId), { code: "chain/not-mined" });
  const raised = newest(agreementId);
  assert.equal(raised.nonce, before);
  const high = (raised.maxFeePerGas * 10n).toString();
  data.database.prepare("UPDATE settlement SET max_fee = ? WHERE tx_hash = ?").run(high, raised.hash);
  await assert.rejects(settlement(200).settleAgreement(agreementId), { code: "chain/stuck" });
  await mine();
  assert.equal((await settlement(200).settleAgreement(agreementId)).status, "settled");
});
