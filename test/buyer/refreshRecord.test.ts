import assert from "node:assert/strict";
import { test } from "node:test";
import { connectRecorded, type DiscoverOptions, discover } from "../../runner/buyer/client/discover.ts";
import { refreshRecord } from "../../runner/buyer/client/refreshRecord.ts";
import { prepareAgreement } from "../../runner/buyer/opening/open.ts";
import { openDisk, type Test, TestChain } from "./agreement.ts";
import { type Change, contributorService, ENTRY } from "./describedService.ts";
import { failsWith } from "./serve.ts";
import { buyer, contributor, DOMAIN, makeOffer, NOW, REGISTRY, signOffer, stranger } from "./setting.ts";

const where = (url: string): Omit<DiscoverOptions, "adapterId"> => ({
  url,
  domain: DOMAIN,
  registry: REGISTRY,
  readAdapter: async () => ENTRY,
  attempts: 1,
});

/** An agreement over the record of a service with a TLS certificate. */
async function agreed(t: Test) {
  const { url } = await contributorService(t, { certificate: "contributor" });
  const { client, record } = await discover(where(url));
  await client.http.close();
  const disk = await openDisk(t);
  const id = prepareAgreement({
    chain: new TestChain().asBuyerChain,
    ...disk,
    domain: DOMAIN,
    registry: REGISTRY,
    buyer: buyer.address,
    contributor: contributor.address,
    manifestHash: ENTRY.manifestHash,
    record,
    offer: await signOffer(makeOffer()),
    amount: 1000n,
    now: NOW,
  });
  const follow = async (change: Change) => {
    const moved = await contributorService(t, change);
    return { url: moved.url, follow: () => refreshRecord(disk.store, id, where(moved.url)) };
  };
  const stored = () => disk.store.agreement(id).terms;
  return { ...disk, id, record, url, stored, follow };
}

test("another certificate at another place is followed where the contributor signed for it, later", async (t) => {
  const { stored, follow, record } = await agreed(t);
  const before = stored();
  const moved = await follow({ certificate: "other", record: { expiry: record.expiry + 1n } });
  assert.equal(await moved.follow(), true);
  const { record: followed, ...rest } = stored();
  assert.equal(followed.url, moved.url);
  const { record: _, ...unchanged } = before;
  assert.deepEqual(rest, unchanged);
  const client = connectRecorded(followed, { attempts: 1 });
  t.after(() => client.http.close());
  await client.service();
  assert.equal(await moved.follow(), false);
});

test("nobody else's record, and no older one, takes an agreement elsewhere", async (t) => {
  const { stored, follow, record } = await agreed(t);
  const later = { expiry: record.expiry + 1n };
  const { tlsCertificate } = record;
  const cases: [string, Change][] = [
    ["service/older-record", { certificate: "other", record: { expiry: record.expiry } }],
    ["service/older-record", { certificate: "other", record: { expiry: record.expiry - 1n } }],
    ["signature/wrong-signer", { certificate: "other", record: later, recordAccount: stranger }],
    ["service/other-certificate", { certificate: "other", record: { ...later, tlsCertificate } }],
    ["service/other-url", { certificate: "contributor", record: { ...later, url: record.url } }],
  ];
  for (const [code, change] of cases)
    await assert.rejects((await follow(change)).follow(), failsWith(code), code);
  assert.deepEqual(stored().record, record);
});

test("an agreement of another contributor is not followed", async (t) => {
  const { store, id, record } = await agreed(t);
  const { url } = await contributorService(t, {
    recordAccount: stranger,
    record: { expiry: record.expiry + 1n },
  });
  const readAdapter = async () => ({ ...ENTRY, contributor: stranger.address });
  await assert.rejects(
    refreshRecord(store, id, { ...where(url), readAdapter }),
    failsWith("service/other-contributor"),
  );
});
