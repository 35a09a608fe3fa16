import assert from "node:assert/strict";
import { test } from "node:test";
import { erc20Abi, type Hex, zeroAddress } from "viem";
import {
  credits,
  isOperator,
  readAgreement,
  readOfferState,
  requireAgreement,
} from "../../runner/chain/agreements.ts";
import { balanceOf, ensureAllowance, readToken } from "../../runner/chain/erc20.ts";
import {
  cancelOffer,
  closeAgreement,
  openAgreement,
  refund,
  release,
  setOperator,
  withdraw,
} from "../../runner/chain/escrow.ts";
import { finalBlock, waitUntilFinal } from "../../runner/chain/finality.ts";
import { adapterRecord, readOpening } from "../../runner/chain/history.ts";
import { readAdapter } from "../../runner/chain/registry.ts";
import { transact } from "../../runner/chain/transact.ts";
import { offerHash } from "../../runner/protocol/typedData.ts";
import { openAgreementOf, opening, random32, register, terms } from "./agreement.ts";
import { testChain, thrownBy } from "./localChain.ts";
import { deployToken } from "./token.ts";

const chain = await testChain();
const contributor = chain.as(1);
const buyer = chain.as(2);
const stranger = chain.as(3);

test("a registered adapter is read as it was registered; an unknown one is none", async () => {
  const adapterId = await register(contributor, 4);
  const adapter = await readAdapter(buyer, adapterId, await finalBlock(buyer));
  assert.equal(adapter?.contributor, contributor.account.address);
  assert.equal(adapter?.groups, 4);
  assert.equal(await readAdapter(buyer, random32()), undefined);
});

test("an agreement holds what was paid in, and the fee is credited at once", async () => {
  const { agreementId, signer, offer } = await openAgreementOf(contributor, buyer, 2);
  const agreement = await requireAgreement(buyer, agreementId);
  assert.equal(agreement.status, "open");
  assert.equal(agreement.buyer, buyer.account.address);
  assert.equal(agreement.contributor, contributor.account.address);
  assert.equal(agreement.signer, signer.address);
  assert.equal(agreement.adapterId, offer.adapterId);
  assert.deepEqual([agreement.amount, agreement.paid, agreement.pricePerToken], [1000n, 0n, 5n]);
  assert.ok((await credits(buyer, zeroAddress, contributor.account.address)) >= 7n);
  const opened = await readOpening(buyer, agreementId);
  assert.deepEqual({ ...opened?.offer }, offer);
  assert.equal(opened?.offerHash, offerHash(offer));
  assert.deepEqual(await readOfferState(buyer, offer), {
    offerHash: offerHash(offer),
    opens: 1n,
    cancelled: false,
  });
  await waitUntilFinal(buyer, opened!.blockNumber);
});

test("an agreement that is not there is said to be unknown", async () => {
  assert.equal((await readAgreement(buyer, random32())).status, "none");
  assert.equal((await thrownBy(requireAgreement(buyer, random32()))).code, "agreement/unknown");
  assert.equal(await readOpening(buyer, random32()), undefined);
});

test("closed by the buyer, refunded after the window, withdrawn: the money is back", async () => {
  const { agreementId, offer } = await openAgreementOf(contributor, buyer, 1);
  assert.equal((await thrownBy(closeAgreement(stranger, agreementId))).code, "contract/not-buyer");
  assert.equal((await thrownBy(refund(stranger, agreementId))).code, "contract/deadline-not-passed");
  const { deadline } = await closeAgreement(buyer, agreementId);
  assert.equal((await readAgreement(buyer, agreementId)).status, "closing");
  assert.equal((await readAgreement(buyer, agreementId)).deadline, deadline);
  await chain.pass(61);
  assert.equal((await refund(stranger, agreementId)).amount, 1000n);
  assert.equal((await thrownBy(refund(stranger, agreementId))).code, "contract/wrong-status");
  const target = random32().slice(0, 42) as Hex;
  const { amount } = await withdraw(buyer, zeroAddress, target);
  assert.equal(amount, 1000n);
  assert.equal(await balanceOf(buyer, zeroAddress, target), 1000n);
  assert.equal((await thrownBy(withdraw(buyer, zeroAddress))).code, "contract/nothing-to-withdraw");
  assert.deepEqual(await adapterRecord(buyer, offer.adapterId), {
    opened: 1,
    settled: 0,
    refunded: 1,
    released: 0,
  });
});

test("a refund works as soon as the clock has passed the deadline, though no block was mined since", async () => {
  const { agreementId } = await openAgreementOf(contributor, buyer, 1, { closeWindow: 1n });
  const { deadline } = await closeAgreement(buyer, agreementId);
  const mined = await buyer.publicClient.getBlock();
  assert.ok(mined.timestamp <= deadline);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal((await refund(buyer, agreementId)).amount, 1000n);
});

test("released by the contributor, and by nobody else", async () => {
  const { agreementId, offer } = await openAgreementOf(contributor, buyer, 1);
  assert.equal((await thrownBy(release(buyer, agreementId))).code, "contract/not-contributor");
  assert.equal((await release(contributor, agreementId)).amount, 1000n);
  assert.deepEqual(await adapterRecord(buyer, offer.adapterId), {
    opened: 1,
    settled: 0,
    refunded: 0,
    released: 1,
  });
});

test("operators come and go", async () => {
  const who = stranger.account.address;
  await setOperator(contributor, who, true);
  assert.equal(await isOperator(buyer, contributor.account.address, who), true);
  await setOperator(contributor, who, false);
  assert.equal(await isOperator(buyer, contributor.account.address, who), false);
});

test("an offer that is cancelled, exhausted, changed or expired cannot be opened, and the error names it", async () => {
  const adapterId = await register(contributor, 1);
  const single = terms(contributor.account, adapterId, { maxOpens: 1n });
  await openAgreement(buyer, await opening(contributor, single));
  const exhausted = await thrownBy(openAgreement(buyer, await opening(contributor, single)));
  assert.equal(exhausted.code, "contract/offer-exhausted");

  const offer = terms(contributor.account, adapterId);
  const signed = await opening(contributor, offer);
  const changed = { ...signed, offer: { ...offer, pricePerToken: 6n } };
  assert.equal(
    (await thrownBy(openAgreement(buyer, changed))).code,
    "contract/offer-not-signed-by-contributor",
  );
  assert.equal((await thrownBy(cancelOffer(buyer, offer))).code, "contract/not-contributor");
  await cancelOffer(contributor, offer);
  assert.equal((await readOfferState(buyer, offer)).cancelled, true);
  assert.equal((await thrownBy(openAgreement(buyer, signed))).code, "contract/offer-is-cancelled");

  const old = await opening(contributor, terms(contributor.account, adapterId, { expiry: 1n }));
  const expired = await thrownBy(openAgreement(buyer, old));
  assert.equal(expired.code, "contract/offer-expired");
  assert.match(expired.message, /1970-01-01T00:00:01/);
});

test("paying more than one has is refused in words", async () => {
  const offer = terms(contributor.account, await register(contributor, 1));
  const rich = await opening(contributor, offer, { amount: 10n ** 30n });
  assert.equal((await thrownBy(openAgreement(buyer, rich))).code, "chain/insufficient-funds");
});

test("many transactions of one account at once all get through", async () => {
  const to = random32().slice(0, 42) as Hex;
  await Promise.all(Array.from({ length: 8 }, () => transact(buyer, { to, data: "0x", value: 1n })));
  assert.equal(await balanceOf(buyer, zeroAddress, to), 8n);
});

test("an agreement in an ERC-20 approves, pays in and pays out that token", async () => {
  const token = await deployToken(buyer, 5000n);
  // What an earlier, greater allowance leaves over could be taken later.
  await ensureAllowance(buyer, token, buyer.deployment.escrow, 4000n);
  const { agreementId } = await openAgreementOf(contributor, buyer, 1, { token });
  assert.equal(await balanceOf(buyer, token, buyer.account.address), 5000n - 1007n);
  const allowed = await buyer.publicClient.readContract({
    address: token,
    abi: erc20Abi,
    functionName: "allowance",
    args: [buyer.account.address, buyer.deployment.escrow],
  });
  assert.equal(allowed, 0n);
  await release(contributor, agreementId);
  await withdraw(buyer, token);
  await withdraw(contributor, token);
  assert.equal(await balanceOf(buyer, token, buyer.account.address), 4993n);
  assert.equal(await balanceOf(buyer, token, contributor.account.address), 7n);
  assert.deepEqual(await readToken(buyer, token), { address: token, symbol: "TST", decimals: 18 });
});
