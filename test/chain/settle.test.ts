import assert from "node:assert/strict";
import { after, test } from "node:test";
import { zeroAddress } from "viem";
import { credits, readAgreement, settledGroups } from "../../runner/chain/agreements.ts";
import { domainOf } from "../../runner/chain/connect.ts";
import { setOperator } from "../../runner/chain/escrow.ts";
import { readSettlements } from "../../runner/chain/history.ts";
import { settle } from "../../runner/chain/settle.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { messageDigest } from "../../runner/protocol/typedData.ts";
import { openAgreementOf, provenReceipt } from "./agreement.ts";
import { testChain, thrownBy } from "./localChain.ts";

const GROUPS = 5;
const chain = await testChain();
const contributor = chain.as(1);
const buyer = chain.as(2);
const operator = chain.as(3);
after(async () => (await loadCurve()).terminate());

const earned = (): Promise<bigint> => credits(buyer, zeroAddress, contributor.account.address);

test("five proofs settle in one transaction; a repeat sends nothing", async () => {
  const { agreementId, signer } = await openAgreementOf(contributor, buyer, GROUPS);
  const proven = await provenReceipt(buyer, agreementId, signer, GROUPS, 30n);
  const before = await earned();
  const settled = await settle(contributor, proven);
  assert.deepEqual(
    settled.transactions.map(({ groups }) => groups),
    [[0, 1, 2, 3, 4]],
  );
  assert.equal(settled.credited, 150n);
  assert.equal((await earned()) - before, 150n);
  assert.equal((await readAgreement(buyer, agreementId)).paid, 150n);
  const [found, ...more] = await readSettlements(buyer, agreementId);
  assert.deepEqual(
    [found?.tokens, found?.credited, found?.txHash, more.length],
    [30n, 150n, settled.txHash, 0],
  );
  assert.deepEqual((await settle(contributor, proven)).transactions, []);
});

test("proofs are spread over transactions that stay below the gas allowed", async () => {
  const { agreementId, signer } = await openAgreementOf(contributor, buyer, GROUPS);
  const proven = await provenReceipt(buyer, agreementId, signer, GROUPS, 30n);
  const sent: string[] = [];
  const chunks: number[] = [];
  const settled = await settle(
    contributor,
    { ...proven, claims: [...proven.claims].reverse() },
    { maxGas: 400_000n, onSent: ({ hash }) => sent.push(hash), onChunk: (done) => chunks.push(done) },
  );
  assert.ok(settled.transactions.length > 1);
  for (const { gasUsed } of settled.transactions) assert.ok(gasUsed <= 400_000n);
  assert.deepEqual(
    settled.transactions.flatMap(({ groups }) => groups),
    [0, 1, 2, 3, 4],
  );
  assert.deepEqual(
    sent,
    settled.transactions.map(({ txHash }) => txHash),
  );
  assert.equal(chunks.at(-1), GROUPS);
  assert.equal(settled.txHash, settled.transactions.at(-1)?.txHash);
  assert.equal(settled.credited, 150n);
});

test("an operator takes up a settlement that was interrupted", async () => {
  const { agreementId, signer } = await openAgreementOf(contributor, buyer, GROUPS);
  const proven = await provenReceipt(buyer, agreementId, signer, GROUPS, 30n);
  const half = await settle(contributor, { ...proven, claims: proven.claims.slice(1, 3) });
  assert.equal(half.txHash, null);
  const receiptHash = messageDigest(domainOf(buyer), "Receipt", proven.receipt);
  assert.deepEqual([...(await settledGroups(buyer, agreementId, receiptHash, GROUPS))], [1, 2]);

  assert.equal((await thrownBy(settle(operator, proven))).code, "contract/not-contributor-or-operator");
  await setOperator(contributor, operator.account.address, true);
  const rest = await settle(operator, proven);
  assert.deepEqual(rest.transactions[0]?.groups, [0, 3, 4]);
  assert.equal(rest.credited, 150n);
});

test("a wrong proof, a changed receipt and too little gas are refused in words, and nothing is paid", async () => {
  const { agreementId, signer } = await openAgreementOf(contributor, buyer, 2);
  const proven = await provenReceipt(buyer, agreementId, signer, 2, 30n);
  const before = await earned();
  const [first, second] = proven.claims;
  const swapped = [
    { ...second!, group: 0 },
    { ...first!, group: 1 },
  ];
  assert.equal(
    (await thrownBy(settle(contributor, { ...proven, claims: swapped }))).code,
    "contract/invalid-proof",
  );
  const inflated = { ...proven, receipt: { ...proven.receipt, tokens: 31n } };
  assert.equal((await thrownBy(settle(contributor, inflated))).code, "contract/receipt-not-signed-by-signer");
  const tooSmall = await thrownBy(settle(contributor, proven, { maxGas: 100_000n }));
  assert.equal(tooSmall.code, "settle/too-much-gas");
  await chain.pass(701);
  assert.equal((await thrownBy(settle(contributor, proven))).code, "contract/deadline-passed");
  assert.equal(await earned(), before);
});
