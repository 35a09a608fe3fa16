import assert from "node:assert/strict";
import { test } from "node:test";
import { completeOpening, prepareAgreement } from "../../runner/buyer/opening/open.ts";
import { reviewOpening, unfinishedOpenings } from "../../runner/buyer/opening/unfinishedOpening.ts";
import type { Offer } from "../../runner/protocol/typedData.ts";
import { openDisk, type Test, TestChain } from "./agreement.ts";
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

/** A prepared agreement whose process died before sending. */
async function prepared(t: Test, change: Partial<Offer> = {}) {
  const disk = await openDisk(t);
  const chain = new TestChain();
  const id = prepareAgreement({
    chain: chain.asBuyerChain,
    ...disk,
    domain: DOMAIN,
    registry: REGISTRY,
    buyer: buyer.address,
    contributor: contributor.address,
    manifestHash: CODE_HASH,
    record: { adapterId: ADAPTER, url: "http://127.0.0.1:1", tlsCertificate: NO_CERTIFICATE, expiry: NOW },
    offer: await signOffer(makeOffer({ maxOpens: 1n, ...change })),
    amount: 1000n,
    now: NOW,
  });
  const review = () => reviewOpening(chain.asBuyerChain, disk.store, id);
  return { ...disk, chain, id, review };
}

type Moment = TestChain["at"]["newest"];

/** What the escrow refuses for ever, and what it says at the moment before. */
const OVER: Record<string, [Partial<Moment>, Partial<Moment>, Partial<Offer>?]> = {
  "its offer expired": [{ now: NOW + 101n }, { now: NOW + 100n }, { expiry: NOW + 100n }],
  "its deadline is too early": [{ now: NOW + 3601n }, { now: NOW + 3600n }, { expiry: NOW + 9999n }],
  "its offer is used up": [{ opens: 1n }, { opens: 0n }],
  "its offer is cancelled": [{ cancelled: true }, { cancelled: false }],
};

test("an opening that was not sent can be sent; one that was mined goes on though it used its offer up", async (t) => {
  const { chain, store, id, review } = await prepared(t);
  assert.equal(await review(), "unsent");
  await completeOpening(chain.asBuyerChain, store, id);
  store.setPhase(id, "opening");
  // As after a crash right behind the block that opened it.
  for (const block of ["newest", "final"] as const) chain.at[block].opens = 1n;
  assert.equal(await review(), "mined");
  assert.equal((await completeOpening(chain.asBuyerChain, store, id)).phase, "open");
  assert.equal(chain.sent, 1);
});

for (const [name, [over, before, change]] of Object.entries(OVER))
  test(`an opening is given up for good once ${name} at a final block, not before`, async (t) => {
    const { chain, store, vault, id, review } = await prepared(t, change);
    Object.assign(chain.at.newest, before);
    assert.equal(await review(), "unsent");
    Object.assign(chain.at.newest, over);
    assert.equal(await review(), "impossible");
    assert.equal(unfinishedOpenings(store).length, 1);
    Object.assign(chain.at.final, over);
    assert.equal(await review(), "abandoned");
    assert.deepEqual(unfinishedOpenings(store), []);
    await assert.rejects(completeOpening(chain.asBuyerChain, store, id), failsWith("agreement/abandoned"));
    assert.equal(chain.sent, 0);
    assert.equal(vault.names().length, 1);
  });
