import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChainAgreement } from "../../runner/buyer/chainView.ts";
import { agreementStatus, closeAgreement, refundAgreement, stillOpen } from "../../runner/buyer/follow.ts";
import {
  completeOpening,
  type OpenOptions,
  openAgreement,
  prepareAgreement,
} from "../../runner/buyer/opening/open.ts";
import { loadSigner } from "../../runner/buyer/store/signerKey.ts";
import type { StoredAgreement } from "../../runner/buyer/store/storedRows.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { type Disk, openDisk, type Test, TestChain } from "./agreement.ts";
import { failsWith } from "./serve.ts";
import {
  ADAPTER,
  buyer,
  CODE_HASH,
  contributor,
  DOMAIN,
  makeOffer,
  NO_CERTIFICATE,
  NOW,
  REGISTRY,
  signOffer,
} from "./setting.ts";

async function optionsFor(disk: Disk, chain: TestChain): Promise<OpenOptions> {
  return {
    chain: chain.asBuyerChain,
    ...disk,
    domain: DOMAIN,
    registry: REGISTRY,
    buyer: buyer.address,
    contributor: contributor.address,
    manifestHash: CODE_HASH,
    record: { adapterId: ADAPTER, url: "http://127.0.0.1:1", tlsCertificate: NO_CERTIFICATE, expiry: NOW },
    offer: await signOffer(makeOffer()),
    amount: 1000n,
  };
}

async function setUp(t: Test) {
  const disk = await openDisk(t);
  const chain = new TestChain();
  return { disk, chain, options: await optionsFor(disk, chain) };
}

test("an agreement is on disk, with its signer's key, before its transaction", async (t) => {
  const { disk, chain, options } = await setUp(t);
  chain.before = () => {
    const { terms, phase } = disk.store.agreements().at(-1)!;
    assert.equal(phase, "opening");
    assert.equal(loadSigner(disk.vault, terms.signer).address.toLowerCase(), terms.signer);
  };
  const { terms, phase, transactionHash } = await openAgreement(options);
  assert.equal(phase, "open");
  assert.match(transactionHash!, /^0x77/);
  assert.equal(chain.agreements.get(terms.agreementId)?.signer, terms.signer);
  assert.deepEqual(terms.offer, makeOffer());
});

test("every agreement has its own signer", async (t) => {
  const { options } = await setUp(t);
  const [one, two] = [await openAgreement(options), await openAgreement(options)];
  assert.notEqual(one.terms.signer, two.terms.signer);
  assert.notEqual(one.terms.agreementId, two.terms.agreementId);
});

test("an opening interrupted at any point is completed with the same id and one payment", async (t) => {
  const crash = (): never => {
    throw new Error("the process died");
  };
  for (const point of ["before", "after"] as const) {
    const { disk, chain, options } = await setUp(t);
    chain[point] = crash;
    const id = prepareAgreement(options);
    // The money may have moved although sending failed; then there is nothing left to do.
    if (point === "before") await assert.rejects(completeOpening(options.chain, disk.store, id));
    else await completeOpening(options.chain, disk.store, id);
    chain[point] = () => {};
    const restarted = await openDisk(t, disk.directory);
    const { phase } = await completeOpening(options.chain, restarted.store, id);
    assert.equal(phase, "open");
    assert.equal(chain.agreements.size, 1);
    await completeOpening(options.chain, restarted.store, id);
    assert.equal(chain.sent, point === "before" ? 2 : 1);
  }
});

test("an agreement is open when its block is final", async (t) => {
  const { disk, chain, options } = await setUp(t);
  chain.blocksToFinal = 1000;
  const id = prepareAgreement(options);
  const wait = { pollMs: 1, timeoutMs: 10 };
  await assert.rejects(
    completeOpening(options.chain, disk.store, id, wait),
    failsWith("agreement/not-final"),
  );
  assert.equal(disk.store.agreement(id).phase, "opening");
  chain.blocksToFinal = 2;
  assert.equal((await completeOpening(options.chain, disk.store, id, { pollMs: 1 })).phase, "open");
  assert.equal(chain.sent, 1);
});

test("a deadline before the offer's least duration, and an agreement that is over, are refused", async (t) => {
  const { disk, chain, options } = await setUp(t);
  assert.throws(() => prepareAgreement({ ...options, deadline: NOW + 60n }), failsWith("agreement/deadline"));
  assert.deepEqual(disk.vault.names(), []);
  const id = prepareAgreement(options);
  const { terms } = disk.store.agreement(id);
  chain.agreements.set(id, { ...terms, status: "released", paid: 0n });
  await assert.rejects(completeOpening(options.chain, disk.store, id), failsWith("agreement/over"));
  assert.deepEqual([chain.sent, disk.store.agreement(id).phase], [0, "ended"]);
  assert.throws(() => disk.store.agreement(CODE_HASH), failsWith("agreement/unknown"));
});

test("an offer that no deadline fits leaves the folder as it was, all of it readable", async (t) => {
  const { disk, chain, options } = await setUp(t);
  const { terms } = await openAgreement(options);
  const [names, sent] = [disk.vault.names(), chain.sent];
  const endless = await signOffer(makeOffer({ minDuration: (1n << 64n) - 1n }));
  await assert.rejects(openAgreement({ ...options, offer: endless }), failsWith("agreement/deadline"));
  assert.deepEqual(
    disk.store.agreements().map((agreement) => agreement.terms.agreementId),
    [terms.agreementId],
  );
  assert.deepEqual([disk.vault.names(), chain.sent], [names, sent]);
});

test("a fee that was not agreed to is refused before anything is prepared", async (t) => {
  const { disk, chain, options } = await setUp(t);
  const offer = await signOffer(makeOffer({ openingFee: 5000n * 10n ** 18n }));
  await assert.rejects(openAgreement({ ...options, offer }), failsWith("offer/fee-too-high", "openingFee"));
  assert.deepEqual([chain.sent, disk.vault.names(), disk.store.agreements()], [0, [], []]);
  await openAgreement({ ...options, offer, maxFee: offer.offer.openingFee });
  assert.equal(chain.sent, 1);
});

test("a contributor cannot keep the money of a buyer who closes: a long lock is refused before anything is prepared", async (t) => {
  const { disk, chain, options } = await setUp(t);
  const DAY = 86_400n;
  const offer = await signOffer(makeOffer({ minDuration: 100n * DAY, closeWindow: 29n * DAY }));
  await assert.rejects(
    openAgreement({ ...options, offer }),
    failsWith("offer/locks-too-long", "closeWindow"),
  );
  assert.deepEqual([chain.sent, disk.vault.names(), disk.store.agreements()], [0, [], []]);
  // What ends by itself before that, or a time that was agreed to, locks nothing longer.
  const brief = await signOffer(makeOffer({ closeWindow: 1n << 63n }));
  await openAgreement({ ...options, offer: brief });
  await openAgreement({ ...options, offer, maxLock: 29n * DAY });
  assert.equal(chain.sent, 2);
});

test("status shows what is owed and what is left; close and refund end the agreement here too", async (t) => {
  const { disk, chain, options } = await setUp(t);
  const { terms } = await openAgreement(options);
  const id = terms.agreementId;
  assert.deepEqual((await agreementStatus(chain, disk.store, id)).owed, 0n);
  const receipt = { agreementId: id, passes: 2n, tokens: 70n, head: CODE_HASH, statementsHash: CODE_HASH };
  disk.store.addReceipt(receipt, "0x00", new Uint8Array());
  chain.agreements.set(id, { ...chain.agreements.get(id)!, paid: 300n });
  const status = await agreementStatus(chain, disk.store, id);
  assert.deepEqual([status.owed, status.unsettled, status.receipt?.accepted], [700n, 700n, false]);
  disk.store.addReceipt({ ...receipt, passes: 3n, tokens: 200n }, "0x00", new Uint8Array());
  disk.store.acceptReceipt(id, 3n);
  const later = await agreementStatus(chain, disk.store, id);
  assert.deepEqual([later.owed, later.receipt], [1000n, { passes: 3n, tokens: 200n, accepted: true }]);
  assert.deepEqual(
    disk.store.receipts(id).map(({ state }) => state),
    [null, new Uint8Array()],
  );

  const closing = { closeAgreement: async () => ({ txHash: CODE_HASH, deadline: 5n }) };
  assert.equal((await closeAgreement(closing, disk.store, id)).deadline, 5n);
  assert.equal(disk.store.agreement(id).phase, "ended");
  const refunding = { refund: async () => ({ txHash: CODE_HASH, amount: 700n }) };
  assert.equal((await refundAgreement(refunding, disk.store, id)).amount, 700n);
});

test("an agreement that is over on chain is not in the way of one that is open", async (t) => {
  const { disk, chain, options } = await setUp(t);
  const opened: StoredAgreement[] = [];
  for (let n = 0; n < 6; n++) opened.push(await openAgreement(options));
  const [lapsed, closing, refunded, released, unseen, open] = opened.map(({ terms }) => terms.agreementId);
  const now = (id: Hex | undefined, change: Partial<ChainAgreement>): void =>
    void chain.agreements.set(id!, { ...chain.agreements.get(id!)!, ...change });
  now(lapsed, { deadline: NOW - 1n });
  now(closing, { status: "closing" });
  now(refunded, { status: "refunded" });
  now(released, { status: "released" });
  now(unseen, { status: "none" });
  now(open, { deadline: NOW });
  const left = await stillOpen(chain, disk.store, opened);
  assert.deepEqual(
    left.map(({ terms }) => terms.agreementId),
    [unseen, open],
  );
  assert.deepEqual(
    disk.store.agreements().map(({ phase }) => phase),
    ["ended", "ended", "ended", "ended", "open", "open"],
  );
});
