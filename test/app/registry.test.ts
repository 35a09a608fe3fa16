/** The lists the page shows, from the events of a real node. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { readAdapters, readAgreements } from "../../app/src/adapters/readRegistry.ts";
import { checkChain } from "../../app/src/chain/checkChain.ts";
import { refund } from "../../runner/chain/escrow.ts";
import { settle } from "../../runner/chain/settle.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { openAgreementOf, provenReceipt, register } from "../chain/agreement.ts";
import { testChain, thrownBy } from "../chain/localChain.ts";

const chain = await testChain();
const contributor = chain.as(1);
const buyer = chain.as(2);
after(async () => (await loadCurve()).terminate());

test("an empty registry is an empty list", async () => {
  assert.deepEqual(await readAdapters(buyer), []);
  assert.deepEqual(await readAgreements(buyer, { buyer: buyer.account.address }), []);
});

test("adapters are listed newest first, each with what was opened, settled and paid", async () => {
  const { agreementId, signer, offer } = await openAgreementOf(contributor, buyer, 2);
  const unused = await register(contributor, 3);
  // Two receipts of one agreement: they are cumulative, so the larger counts, not the sum.
  for (const tokens of [10n, 30n])
    await settle(contributor, await provenReceipt(buyer, agreementId, signer, 2, tokens));
  const [newest, older] = await readAdapters(buyer);
  assert.deepEqual([newest?.adapterId, newest?.groups, newest?.opened], [unused, 3, 0]);
  assert.deepEqual(
    [older?.adapterId, older?.opened, older?.settledAgreements, older?.settledTokens],
    [offer.adapterId, 1, 1, 30n],
  );
  assert.equal(older?.contributor, contributor.account.address);
});

test("a buyer's agreements and an adapter's are the same, with their newest receipt and state", async () => {
  const { agreementId, offer } = await openAgreementOf(contributor, buyer, 1);
  await chain.pass(800);
  await refund(buyer, agreementId);
  const mine = await readAgreements(buyer, { buyer: buyer.account.address });
  assert.deepEqual(
    mine.map(({ status, settled }) => [status, settled?.tokens]),
    [
      ["refunded", undefined],
      ["open", 30n],
    ],
  );
  const [ofAdapter, ...others] = await readAgreements(buyer, { adapterId: offer.adapterId });
  assert.deepEqual([ofAdapter?.agreementId, others.length], [agreementId, 0]);
  assert.deepEqual(await readAgreements(buyer, { buyer: contributor.account.address }), []);
});

test("a node on another chain, contracts that are missing, changed or of another release are refused by name", async () => {
  const { deployment } = buyer;
  const { registry, escrow } = deployment;
  await checkChain(buyer, { registry, escrow });
  const code = async (
    changes: Partial<typeof deployment>,
    chainId = buyer.chainId,
  ): Promise<string | undefined> =>
    (
      await thrownBy(
        checkChain({ ...buyer, chainId, deployment: { ...deployment, ...changes } }, { registry, escrow }),
      )
    ).code;
  assert.equal(await code({}, 1), "chain/wrong-chain");
  assert.equal(await code({ escrow: contributor.account.address }), "chain/not-deployed");
  assert.equal(await code({ escrow: registry }), "chain/other-code");
  assert.equal(
    await code({
      registry: escrow,
      codeHashes: { ...deployment.codeHashes, registry: deployment.codeHashes.escrow },
    }),
    "chain/other-release",
  );
});
