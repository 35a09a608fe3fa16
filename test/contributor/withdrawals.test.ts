/** Earnings are taken out by themselves, once, whatever became of the transaction. Real chain. */
import assert from "node:assert/strict";
import * as path from "node:path";
import { after, test } from "node:test";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { domainOf } from "../../runner/chain/connect.ts";
import { openAgreement, release, withdraw } from "../../runner/chain/escrow.ts";
import { chainTime } from "../../runner/chain/finality.ts";
import type { SentTransaction } from "../../runner/chain/transact.ts";
import { contributorChain } from "../../runner/contributor/chainAdapter.ts";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import type { ContributorEvent } from "../../runner/contributor/events.ts";
import { makeOffer } from "../../runner/contributor/offers.ts";
import { registerPeftAdapter } from "../../runner/contributor/register.ts";
import { WithdrawalStore } from "../../runner/contributor/store/withdrawals.ts";
import { Withdrawals } from "../../runner/contributor/withdrawals.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { testChain } from "../chain/localChain.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { randomAdapter, TERMS } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const ETH: Hex = "0x0000000000000000000000000000000000000000";
const TO: Hex = "0x00000000000000000000000000000000000000fe";
const chain = await testChain();
const [seller, payer] = [chain.as(1), chain.as(2)];
const data = await openContributorData(path.join(temporaryDirectory({ after }), "data"));
const store = new WithdrawalStore(data.database);
const { adapterId } = await registerPeftAdapter({
  data,
  chain: contributorChain(seller),
  contributor: seller.account.address,
  adapter: randomAdapter(),
  modulesPerProof: 2,
});
const fee = 1000n;
const signed = await makeOffer(data, domainOf(seller), seller.account, {
  ...{ adapterId, ...TERMS },
  openingFee: fee,
});

const ask = chain.connection.publicClient.request as (call: object) => Promise<unknown>;
const mine = () => ask({ method: "evm_mine", params: [] });
const automine = (on: boolean) => ask({ method: "evm_setAutomine", params: [on] });
const taken = () => payer.publicClient.getBalance({ address: TO });
const nonceNow = () =>
  seller.publicClient.getTransactionCount({ address: seller.account.address, blockTag: "latest" });

let openings = 0n;
/** Earns the opening fee. @returns the agreement */
async function earn(): Promise<Hex> {
  await automine(true);
  const { agreementId } = await openAgreement(payer, {
    ...signed,
    signer: privateKeyToAccount(generatePrivateKey()).address,
    amount: 200n,
    deadline: (await chainTime(payer)) + 7200n,
    nonce: ++openings,
  });
  return agreementId;
}

function withdrawals(at: bigint, waitMs = 60_000) {
  const events: ContributorEvent[] = [];
  const work = new Withdrawals({
    data,
    chain: contributorChain(seller, { waitMs }),
    terms: { token: ETH, to: TO, at },
    onEvent: (event) => events.push(event),
  });
  return { work, events };
}

test("credit is taken out once it reaches the amount, not before", async () => {
  await earn();
  const before = await nonceNow();
  await withdrawals(fee + 1n).work.run();
  assert.deepEqual([await taken(), await nonceNow()], [0n, before]);
  const { work, events } = withdrawals(fee);
  await work.run();
  assert.equal(await taken(), fee);
  assert.deepEqual(
    events.map((event) => event.type === "withdrawn" && [event.to, event.amount]),
    [[TO, fee]],
  );
  await work.run();
  assert.equal(await nonceNow(), before + 1);
});

test("a withdrawal that is not mined is replaced by one that pays more, and happens once", async () => {
  await earn();
  const [before, had] = [await nonceNow(), await taken()];
  await automine(false);
  const sent: SentTransaction[] = [];
  const withdrawn = withdraw(seller, ETH, TO, {
    waitMs: 500,
    onSent: (transaction) => {
      sent.push(transaction);
      if (sent.length === 2) setTimeout(() => void mine(), 100);
    },
  });
  assert.equal((await withdrawn).amount, fee);
  assert.deepEqual([await taken(), await nonceNow()], [had + fee, before + 1]);
  const [first, second] = sent;
  assert.equal(second!.nonce, first!.nonce);
  assert.ok(second!.maxFeePerGas > (first!.maxFeePerGas * 9n) / 8n);
});

test("a release that is not mined is replaced as well", async () => {
  const agreementId = await earn();
  const before = await nonceNow();
  await automine(false);
  const sent: SentTransaction[] = [];
  const released = release(seller, agreementId, {
    waitMs: 500,
    onSent: (transaction) => {
      sent.push(transaction);
      if (sent.length === 2) setTimeout(() => void mine(), 100);
    },
  });
  assert.equal((await released).amount, 200n);
  assert.deepEqual([sent.length, await nonceNow()], [2, before + 1]);
});

test("one sent before a crash is found when it was mined meanwhile, and not sent again", async () => {
  await earn();
  await automine(true);
  const had = await taken();
  // Since then the service was started with another address.
  const earlier: Hex = "0x00000000000000000000000000000000000000fd";
  const { amount } = await withdraw(seller, ETH, earlier, {
    onSent: (transaction) => store.add(ETH, earlier, transaction),
  });
  // The process ends here: that it was mined is not written down.
  const before = await nonceNow();
  const { work, events } = withdrawals(1n);
  await work.run();
  assert.deepEqual([await taken(), await nonceNow()], [had, before]);
  assert.deepEqual(
    events.map((event) => event.type === "withdrawn" && [event.to, event.amount]),
    [[earlier, amount]],
  );
  assert.equal(store.open(ETH), undefined);
});

test("one that was written down and never reached a node is sent, once", async () => {
  await earn();
  await automine(true);
  const [before, had] = [await nonceNow(), await taken()];
  const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n };
  const from = seller.account.address;
  store.add(ETH, TO, { hash: `0x${"5e".repeat(32)}`, from, nonce: before, ...fees, sentAt: Date.now() });
  const { work } = withdrawals(1n);
  await work.run();
  assert.deepEqual([await taken(), await nonceNow()], [had + fee, before + 1]);
  await work.run();
  assert.equal(await nonceNow(), before + 1);
});
