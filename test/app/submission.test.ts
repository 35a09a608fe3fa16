/** Proofs submitted by a wallet, on a real node with real proofs. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { UserRejectedRequestError, zeroAddress } from "viem";
import { foldProven, provenWhole, readProven } from "../../app/src/submission/proven.ts";
import { groupsLabel, planSettlement, settlePurpose, submitProofs } from "../../app/src/submission/submit.ts";
import { isLoss, worthOf } from "../../app/src/submission/worth.ts";
import { readAgreement } from "../../runner/chain/agreements.ts";
import { type ReceiptToSettle, receiptHash } from "../../runner/chain/claims.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { openAgreementOf, provenReceipt } from "../chain/agreement.ts";
import { testChain, thrownBy } from "../chain/localChain.ts";
import { Browser, lagging, openTab } from "./tab.ts";

const GROUPS = 5;
/** Gas that two or three proofs fit into. */
const SMALL = 400_000n;
const chain = await testChain();
const contributor = chain.as(1);
const buyer = chain.as(2);
after(async () => (await loadCurve()).terminate());

async function proven(): Promise<ReceiptToSettle> {
  const { agreementId, signer } = await openAgreementOf(contributor, buyer, GROUPS);
  return provenReceipt(buyer, agreementId, signer, GROUPS, 30n);
}

test("the plan names the groups left, the transactions they need and their gas", async () => {
  const settlement = await proven();
  const from = contributor.account.address;
  const whole = await planSettlement(contributor, from, settlement);
  assert.deepEqual(
    [whole.left, whole.next?.groups, whole.transactions],
    [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], 1],
  );
  const parts = await planSettlement(contributor, from, settlement, SMALL);
  assert.ok(parts.transactions > 1 && parts.next!.gas <= SMALL && parts.gas > parts.next!.gas);
  assert.equal(
    (await thrownBy(planSettlement(contributor, buyer.account.address, settlement))).code,
    "contract/not-contributor-or-operator",
  );
});

test("proofs go out in chunks; events tell by which transaction each group was proven", async () => {
  const settlement = await proven();
  const tab = openTab(new Browser(), contributor);
  const sent = await submitProofs(tab, settlement, SMALL);
  assert.ok(sent.length > 1);
  assert.equal(tab.asked, sent.length);
  assert.deepEqual(
    sent.flatMap(({ groups }) => groups),
    [0, 1, 2, 3, 4],
  );
  const events = await readProven(buyer, settlement.agreementId, receiptHash(buyer, settlement.receipt));
  for (const { groups, minedHash } of sent)
    for (const group of groups!) assert.equal(events.get(group)?.txHash, minedHash);
  assert.equal((await readAgreement(buyer, settlement.agreementId)).paid, 150n);
  assert.deepEqual(await submitProofs(tab, settlement, SMALL), []);
  assert.deepEqual((await planSettlement(contributor, contributor.account.address, settlement)).left, []);
});

test("after a rejected second transaction and a reload only what is left is sent", async () => {
  const settlement = await proven();
  const browser = new Browser();
  const first = openTab(browser, contributor);
  first.behave = (send) =>
    first.asked === 1 ? send() : Promise.reject(new UserRejectedRequestError(new Error("no")));
  assert.equal((await thrownBy(submitProofs(first, settlement, SMALL))).code, "wallet/rejected");
  const purpose = settlePurpose(receiptHash(buyer, settlement.receipt));
  const [one, two] = first.store.load(purpose);
  assert.deepEqual([one?.state, two?.state], ["confirmed", "unsent"]);

  const second = openTab(browser, contributor);
  const sent = await submitProofs(second, settlement, SMALL);
  assert.deepEqual([...one!.groups!, ...sent.flatMap(({ groups }) => groups!)], [0, 1, 2, 3, 4]);
});

test("a page that lost everything rebuilds what is left from the chain", async () => {
  const settlement = await proven();
  await submitProofs(openTab(new Browser(), contributor), {
    ...settlement,
    claims: settlement.claims.slice(1, 3),
  });
  const sent = await submitProofs(openTab(new Browser(), contributor), settlement);
  assert.deepEqual(
    sent.map(({ groups }) => groups),
    [[0, 3, 4]],
  );
});

test("a node that lags behind does not make a chunk be sent twice", async () => {
  const settlement = await proven();
  const tab = openTab(new Browser(), contributor);
  const stale = await tab.ctx.publicClient.getBlockNumber();
  const sent = await submitProofs(lagging(tab, stale), settlement);
  assert.equal(sent.length, 1);
  assert.equal(tab.asked, 1);
});

test("bits of an event are groups, 256 a word", () => {
  const event = { args: { word: 1n, bits: 0b101n }, transactionHash: "0x01", blockNumber: 7n } as const;
  assert.deepEqual([...foldProven([event]).keys()], [256, 258]);
});

test("groups are named shortly", () => {
  assert.equal(groupsLabel([3]), "group 3");
  assert.equal(groupsLabel([0, 1, 2]), "groups 0 to 2");
  assert.equal(groupsLabel([0, 2, 7]), "3 groups");
});

test("a receipt is settled when the registry's groups are proven, not those a bundle names", async () => {
  const settlement = await proven();
  const { agreementId, receipt, claims } = settlement;
  await submitProofs(openTab(new Browser(), contributor), { ...settlement, claims: claims.slice(0, 2) });
  const found = await readProven(buyer, agreementId, receiptHash(buyer, receipt));
  assert.equal(found.size, 2);
  assert.equal(provenWhole(found, undefined), false);
  assert.equal(provenWhole(found, GROUPS), false);
  assert.equal(provenWhole(undefined, GROUPS), false);
  assert.equal(provenWhole(found, 2), true);
});

test("a receipt brings what earlier ones have not, and never more than was paid in", () => {
  const agreement = { pricePerToken: 10n, amount: 250n, paid: 0n };
  assert.deepEqual(worthOf({ tokens: 7n }, agreement), { whole: 70n, more: 70n });
  assert.deepEqual(worthOf({ tokens: 30n }, { ...agreement, paid: 70n }), { whole: 250n, more: 180n });
  assert.deepEqual(worthOf({ tokens: 5n }, { ...agreement, paid: 70n }), { whole: 50n, more: 0n });
});

test("a receipt that brings nothing more is a loss in any token, and one that brings less than its gas in ETH", () => {
  const token = `0x${"11".repeat(20)}` as const;
  for (const [more, paidIn, loss] of [
    [0n, zeroAddress, true],
    [0n, token, true],
    [99n, zeroAddress, true],
    [100n, zeroAddress, false],
    // What a token is worth in ETH nobody here knows.
    [1n, token, false],
  ] as const)
    assert.equal(isLoss({ more }, { token: paidIn }, 100n), loss, `${more} of ${paidIn}`);
});
