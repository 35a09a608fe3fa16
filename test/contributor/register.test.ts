import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { decodeAdapterSecret, encodeAdapterSecret } from "../../runner/contributor/adapterSecret.ts";
import { listAdapters, loadServedAdapter } from "../../runner/contributor/adapters.ts";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import {
  findOffer,
  listOffers,
  makeOffer,
  markOfferCancelled,
  openOffers,
} from "../../runner/contributor/offers.ts";
import { type RegisterOptions, registerPeftAdapter } from "../../runner/contributor/register.ts";
import { contributorStatus } from "../../runner/contributor/status.ts";
import { toHex } from "../../runner/protocol/bytes.ts";
import { checkManifest } from "../../runner/protocol/commitmentsFile.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { DeltapayError } from "../../runner/protocol/errors.ts";
import { manifestHash } from "../../runner/protocol/manifest.ts";
import { quantiseAdapterModule } from "../../runner/protocol/quantise.ts";
import { checkSignature } from "../../runner/protocol/typedData.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { DOMAIN, MemoryChain } from "./memoryChain.ts";
import { randomAdapter, registered, smallKey, TERMS } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

type Context = Parameters<typeof temporaryDirectory>[0];

async function setting(context: Context): Promise<RegisterOptions & { chain: MemoryChain }> {
  const data = await openContributorData(path.join(temporaryDirectory(context), "data"));
  const chain = new MemoryChain();
  const contributor = privateKeyToAccount(generatePrivateKey()).address;
  chain.sender = contributor;
  return { data, chain, contributor, adapter: randomAdapter(), modulesPerProof: 2 };
}

test("what is registered is what a buyer can check and what will be served", async (context) => {
  const options = await setting(context);
  const { data, chain, adapter } = options;
  const { adapterId, manifest, resumed, seedWarning } = await registerPeftAdapter(options);
  assert.equal(resumed, false);
  assert.match(seedWarning, /lost/);
  assert.deepEqual([...chain.adapters.keys()], [adapterId]);
  const served = loadServedAdapter(data, adapterId);
  assert.equal(manifestHash(served.manifestBytes), chain.adapters.get(adapterId)!.manifestHash);
  assert.equal(chain.adapters.get(adapterId)!.groups, 2);
  const checked = await checkManifest(
    await loadCurve(),
    await smallKey(),
    served.manifest,
    served.commitments,
  );
  assert.deepEqual(
    checked.layout.modules.map(({ name, group, slot }) => [name, group, slot]),
    [
      ["layer.q", 0, 0],
      ["layer.k", 0, 3],
      ["layer.v", 1, 0],
    ],
  );
  for (const [m, module] of adapter.modules.entries()) {
    const { Aq, Bq, b } = quantiseAdapterModule(module);
    assert.deepEqual(served.weights[m], { Aq, Bq, b });
  }
  assert.equal(manifest.contributor, options.contributor.toLowerCase());
});

test("a registration that was interrupted goes on with the same seed and id", async (context) => {
  const options = await setting(context);
  const { data, chain } = options;
  chain.failNext = new DeltapayError("chain/unreachable", "the node is gone");
  await assert.rejects(registerPeftAdapter(options), { code: "chain/unreachable" });
  // everything was durable before the transaction was sent
  const [prepared] = listAdapters(data);
  assert.equal(prepared!.registered, false);
  const before = loadServedAdapter(data, prepared!.adapterId);
  const again = await registerPeftAdapter(options);
  assert.deepEqual([again.adapterId, again.resumed], [prepared!.adapterId, true]);
  assert.deepEqual(loadServedAdapter(data, again.adapterId).blinds, before.blinds);
  assert.equal(listAdapters(data)[0]!.registered, true);
  assert.deepEqual([...chain.adapters.keys()], [prepared!.adapterId]);
});

test("a transaction that was mined though its answer was lost is not sent twice", async (context) => {
  const options = await setting(context);
  const { chain } = options;
  const send = chain.registerAdapter.bind(chain);
  chain.registerAdapter = async (request) => {
    await send(request);
    throw new DeltapayError("chain/unreachable", "the answer was lost");
  };
  await assert.rejects(registerPeftAdapter(options), { code: "chain/unreachable" });
  const again = await registerPeftAdapter(options);
  assert.deepEqual([again.resumed, again.txHash], [true, null]);
  assert.deepEqual(chain.sent, ["register"]);
  const third = await registerPeftAdapter(options);
  assert.equal(third.adapterId, again.adapterId);
});

test("other weights, groups, accounts or base models are another adapter, with another seed", async (context) => {
  const options = await setting(context);
  const first = await registerPeftAdapter(options);
  const changed = structuredClone(options.adapter);
  changed.modules[2]!.B[0]! *= -1;
  const another = privateKeyToAccount(generatePrivateKey()).address;
  const baseModel = { name: "tiny", sha256: toHex(new Uint8Array(32)) };
  const others: RegisterOptions[] = [
    { ...options, adapter: changed },
    { ...options, modulesPerProof: 1 },
    { ...options, baseModel },
    { ...options, contributor: another },
  ];
  const blinds = new Set([loadServedAdapter(options.data, first.adapterId).blinds[0]!.u[0]]);
  for (const [i, other] of others.entries()) {
    const { adapterId, resumed } = await registerPeftAdapter(other);
    assert.equal(resumed, false);
    blinds.add(loadServedAdapter(options.data, adapterId).blinds[0]!.u[0]);
    assert.equal(blinds.size, i + 2);
  }
});

test("neither seed, weights nor scales lie in the clear", async (context) => {
  const { data, adapterId } = await registered(context);
  const { weights, scales } = loadServedAdapter(data, adapterId);
  const secrets = [
    Buffer.from(scales.subarray(0, 32)),
    Buffer.from(new Uint8Array(weights[0]!.Aq.buffer)),
    Buffer.from(new Uint8Array(weights[0]!.b.buffer)),
  ];
  const files = fs
    .readdirSync(data.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name)));
  assert.ok(files.length >= 5);
  for (const file of files) for (const secret of secrets) assert.equal(file.includes(secret), false);
});

test("a verifier of another key, or none, is refused before anything is made", async (context) => {
  const options = await setting(context);
  const { chain, data } = options;
  const other = { ...chain.verifier(14)!, vkHash: toHex(new Uint8Array(32)) };
  chain.verifier = () => other;
  await assert.rejects(registerPeftAdapter(options), { code: "register/other-key" });
  const none = Object.assign(chain, { verifier: () => undefined });
  await assert.rejects(registerPeftAdapter({ ...options, chain: none }), { code: "register/no-verifier" });
  assert.deepEqual(listAdapters(data), []);
  assert.deepEqual(data.vault.names(), []);
});

test("an adapter's secret fits its shapes or is refused", () => {
  const shapes = [{ name: "a", dIn: 2, dOut: 3, r: 1 }];
  const secret = {
    seed: new Uint8Array(32).fill(1),
    scaleSalt: new Uint8Array(32).fill(2),
    modules: [{ Aq: Int8Array.of(-127, 5), Bq: Int8Array.of(1, -2, 3), b: Float64Array.of(0.5, 0, 2) }],
  };
  const bytes = encodeAdapterSecret(secret);
  assert.deepEqual(decodeAdapterSecret(shapes, bytes), secret);
  for (const wrong of [bytes.subarray(1), new Uint8Array([...bytes, 0]), new Uint8Array(bytes.length)])
    assert.throws(() => decodeAdapterSecret(shapes, wrong), { code: "adapter/secret-malformed" });
});

test("an offer is signed by the contributor, stored, shown until cancelled or expired", async (context) => {
  const { data, account, adapterId } = await registered(context);
  const stored = await makeOffer(data, DOMAIN, account, { adapterId, ...TERMS });
  await checkSignature(DOMAIN, "Offer", stored.offer, stored.signature, account.address);
  assert.deepEqual(findOffer(data, stored.offerHash), stored);
  assert.deepEqual(openOffers(data, adapterId), [{ offer: stored.offer, signature: stored.signature }]);
  assert.deepEqual(openOffers(data, adapterId, Number(stored.offer.expiry)), []);
  const second = await makeOffer(data, DOMAIN, account, { adapterId, ...TERMS });
  assert.notEqual(second.offerHash, stored.offerHash, "equal terms make another offer");
  markOfferCancelled(data, stored.offerHash);
  assert.deepEqual(openOffers(data, adapterId), [{ offer: second.offer, signature: second.signature }]);
  assert.deepEqual(
    listOffers(data).map(({ cancelled }) => cancelled),
    [true, false],
  );
  assert.equal(contributorStatus(data).offers.length, 2);
  assert.throws(() => markOfferCancelled(data, toHex(new Uint8Array(32))), { code: "offer/unknown" });
});

test("an offer nobody could use is not signed", async (context) => {
  const { data, account, adapterId } = await registered(context);
  const make = (change: object, by = account) =>
    makeOffer(data, DOMAIN, by, { adapterId, ...TERMS, ...change });
  await assert.rejects(make({ maxUnpaidTokens: 0n }), {
    code: "offer/serves-nothing",
    field: "maxUnpaidTokens",
  });
  await assert.rejects(make({ tokenCap: 0n }), { code: "offer/serves-nothing", field: "tokenCap" });
  await assert.rejects(make({ expiry: 1n }), { code: "offer/expired" });
  await assert.rejects(make({ payout: `0x${"0".repeat(40)}` }), { code: "offer/no-payout" });
  await assert.rejects(make({ pricePerToken: 2n ** 128n }), { code: "offer/out-of-range" });
  await assert.rejects(make({}, privateKeyToAccount(generatePrivateKey())), {
    code: "offer/not-contributor",
  });
  await assert.rejects(make({ adapterId: toHex(new Uint8Array(32)) }), { code: "adapter/unknown" });
  assert.deepEqual(listOffers(data), []);
});
