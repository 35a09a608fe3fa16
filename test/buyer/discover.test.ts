import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkLiveness,
  connectRecorded,
  type DiscoverOptions,
  discover,
} from "../../runner/buyer/client/discover.ts";
import { stringifyMessage } from "../../runner/wire/messages.ts";
import { type Change, contributorService, ENTRY, MANIFEST } from "./describedService.ts";
import { certificateHash, failsWith } from "./serve.ts";
import { ADAPTER, DOMAIN, NO_CERTIFICATE, NOW, REGISTRY, stranger } from "./setting.ts";

const options = (url: string, change: Partial<DiscoverOptions> = {}): DiscoverOptions => ({
  url,
  domain: DOMAIN,
  registry: REGISTRY,
  readAdapter: async () => ENTRY,
  attempts: 1,
  ...change,
});

test("a contributor is found, and its key answers", async (t) => {
  for (const certificate of [undefined, "contributor"] as const) {
    const { url } = await contributorService(t, certificate === undefined ? {} : { certificate });
    const found = await discover(options(url));
    t.after(() => found.client.http.close());
    assert.equal(found.adapterId, ADAPTER);
    assert.equal(found.offers[0]!.offer.pricePerToken, 10n);
    assert.ok((await checkLiveness(found, DOMAIN)) > 0);
  }
});

test("what a service says of itself is refused where the contributor did not sign it", async (t) => {
  const cases: [string, Change, Partial<DiscoverOptions>?][] = [
    ["signature/wrong-signer", { recordAccount: stranger }],
    ["service/record-expired", { record: { expiry: NOW - 10n } }],
    ["service/other-record", { record: { adapterId: MANIFEST } }],
    ["service/other-url", { record: { url: "http://127.0.0.1:1" } }],
    ["service/other-certificate", { record: { tlsCertificate: MANIFEST } }],
    [
      "service/other-certificate",
      { certificate: "other", record: { tlsCertificate: certificateHash("contributor") } },
    ],
    ["service/other-certificate", { certificate: "other", record: { tlsCertificate: NO_CERTIFICATE } }],
    ["service/other-deployment", { service: { chainId: 1n } }],
    ["service/other-deployment", { service: { escrow: REGISTRY } }],
    ["service/other-deployment", { service: { registry: DOMAIN.escrow } }],
    ["service/which-adapter", { service: { adapters: [] } }],
    ["service/unknown-adapter", {}, { adapterId: MANIFEST }],
    ["adapter/not-registered", {}, { readAdapter: async () => undefined }],
    ["manifest/hash", {}, { readAdapter: async () => ({ ...ENTRY, manifestHash: ADAPTER }) }],
    ["wire/malformed", { service: { protocol: 2 } }],
  ];
  for (const [code, change, option] of cases) {
    const { url } = await contributorService(t, change);
    await assert.rejects(
      discover(options(url, option)),
      failsWith(code),
      `${code} ${stringifyMessage(change)}`,
    );
  }
});

test("after discovery only the recorded certificate is talked to", async (t) => {
  const { url } = await contributorService(t, { certificate: "contributor" });
  const found = await discover(options(url));
  t.after(() => found.client.http.close());
  const impostor = await contributorService(t, { certificate: "other" });
  assert.notEqual(impostor.url, url);

  const moved = connectRecorded({ ...found.record, url: impostor.url }, { attempts: 1 });
  t.after(() => moved.http.close());
  await assert.rejects(moved.service(), failsWith("http/certificate"));
});

test("an answer from another key, to another question or from another time is not a sign of life", async (t) => {
  const cases: [string, Change][] = [
    ["signature/wrong-signer", { livenessAccount: stranger }],
    ["service/not-live", { liveness: { nonce: MANIFEST } }],
    ["service/not-live", { liveness: { adapterId: MANIFEST } }],
    ["service/clock", { liveness: { time: NOW - 4000n } }],
    ["service/clock", { liveness: { time: NOW + 4000n } }],
  ];
  for (const [code, change] of cases) {
    const { url } = await contributorService(t, change);
    const found = await discover(options(url));
    t.after(() => found.client.http.close());
    await assert.rejects(checkLiveness(found, DOMAIN), failsWith(code));
  }
});
