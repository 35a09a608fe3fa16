import assert from "node:assert/strict";
import { after, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { readManifest } from "../../runner/contributor/adapters.ts";
import { DEFAULT_POLICY, type LeakagePolicy, writePolicy } from "../../runner/contributor/leakage/policy.ts";
import { RankMeter, trackedModules } from "../../runner/contributor/leakage/rankMeter.ts";
import { RankStore } from "../../runner/contributor/leakage/rankStore.ts";
import { type LeakageReport, leakageReport } from "../../runner/contributor/leakage/report.ts";
import { makeOffer } from "../../runner/contributor/offers.ts";
import { all } from "../../runner/contributor/store/rows.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { manifestLayout } from "../../runner/protocol/manifest.ts";
import { transaction } from "../../runner/storage/database.ts";
import { encodePassRequest } from "../../runner/wire/passRequest.ts";
import { PATHS } from "../../runner/wire/paths.ts";
import { ask, type TestBuyer } from "./buyer.ts";
import { DOMAIN } from "./memoryChain.ts";
import { type Contributor, registered, type Served, served, TERMS, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

/** Of agreements that say nothing else. */
const BUYER = "0x00000000000000000000000000000000000000b0";
const OTHER = "0x00000000000000000000000000000000000000b1";

async function opened(contributor: Served, buyer?: typeof OTHER): Promise<TestBuyer> {
  const made = await contributor.buyer(buyer === undefined ? {} : { buyer });
  assert.equal((await made.open()).status, 201);
  return made;
}

/** The narrowest modules have 6 inputs: 3 tokens give them away. */
function limit({ data, adapterId }: Contributor, policy: Partial<LeakagePolicy>): void {
  writePolicy(data.database, adapterId, { ...DEFAULT_POLICY, ...policy });
}

/** What was measured once the service has nothing left to measure. */
async function measured({ data, adapterId }: Contributor, settled: (found: LeakageReport) => boolean) {
  const layout = manifestLayout(readManifest(data, adapterId));
  const read = (): LeakageReport => leakageReport(data.database, adapterId, layout);
  await until(() => settled(read()), "the ranks");
  return read();
}

const ranksAre =
  (...ranks: number[]) =>
  (found: LeakageReport): boolean =>
    isDeepStrictEqual(found.ranks, ranks);

test("tokens and ranks are counted by buyer and over all, across agreements and restarts", async (context) => {
  const contributor = await served(context);
  const first = await opened(contributor);
  await first.pass(2);
  await (await opened(contributor)).pass(1);
  await (await opened(contributor, OTHER)).pass(2);
  const before = await measured(contributor, ranksAre(5, 5, 5));
  assert.deepEqual(
    before.buyers.map(({ buyer, agreements, tokensSold, ratio, ranks }) => [
      buyer,
      agreements,
      tokensSold,
      ratio,
      ranks,
    ]),
    [
      [BUYER, 2, 3, 1, [3, 3, 3]],
      [OTHER, 1, 2, 2 / 3, [2, 2, 2]],
    ],
  );
  assert.deepEqual([before.tokensSold, before.ratio, before.dInHalf], [5, 5 / 3, 3]);

  await contributor.service.close();
  const again = await served(context, { by: contributor });
  const buyer = await opened(again, OTHER);
  await buyer.pass(2);
  const after = await measured(contributor, ranksAre(6, 6, 7));
  assert.deepEqual(after.buyers.find((one) => one.buyer === OTHER)?.ranks, [4, 4, 4]);
  const kept = all<{ module: number }>(
    contributor.data.database,
    "SELECT DISTINCT module FROM rank_row JOIN rank_scope AS s ON scope = s.id WHERE buyer = ''",
  );
  assert.deepEqual(kept, [], "bases that span everything take no room");
});

test("what was shown before adds tokens but no rank", async (context) => {
  const contributor = await served(context);
  const buyer = await opened(contributor);
  const request = buyer.request([0, 1], 2);
  const again = encodePassRequest({ ...request, passSalt: new Uint8Array(32).fill(7) });
  const third = buyer.request([2], 2, request.passSalt);
  for (const [pass, body] of [
    [1, request.body],
    [1, request.body],
    [1, third.body],
    [2, again],
  ] as const)
    assert.equal((await buyer.send(pass, body)).status, 200);
  const found = await measured(contributor, ranksAre(2, 2, 2));
  assert.deepEqual([found.tokensSold, found.ranks], [4, [2, 2, 2]]);
});

test("what a crash kept from being measured is measured after it", async (context) => {
  const contributor = await served(context);
  await (await opened(contributor)).pass(2);
  await measured(contributor, ranksAre(2, 2, 2));
  await contributor.service.close();
  contributor.data.database.exec("DELETE FROM rank_row; DELETE FROM rank_scope;");
  await served(context, { by: contributor });
  await measured(contributor, ranksAre(2, 2, 2));
});

test("past the limits no pass begins, none is cut short, and what was served is receipted", async (context) => {
  const contributor = await served(context);
  const limits = { past: "refuse", maxBuyerRatio: 2, maxRatio: 3 } as const;
  limit(contributor, limits);
  const buyer = await opened(contributor);
  await buyer.pass(4);
  const refused = await buyer.send(2, buyer.request([0, 1], 3).body);
  assert.deepEqual([refused.status, refused.code], [409, "session/leakage-limit"]);
  assert.match(JSON.stringify(refused.json), /each buyer.*2 are left/);
  const half = buyer.request([0, 1], 2);
  assert.equal((await buyer.send(2, half.body)).status, 200);
  limit(contributor, { ...limits, maxRatio: 0.1, maxBuyerRatio: 0.1 });
  assert.equal((await buyer.send(2, buyer.request([2], 2, half.passSalt).body)).status, 200);
  limit(contributor, limits);
  const twin = await opened(contributor);
  assert.equal((await twin.send(1, twin.request([0], 1).body)).code, "session/leakage-limit");

  const other = await opened(contributor, OTHER);
  await other.pass(3);
  const sold = await other.send(2, other.request([0], 1).body);
  assert.equal(sold.code, "session/leakage-limit");
  assert.doesNotMatch(JSON.stringify(sold.json), /\d/, "how much others bought is not told");
  assert.equal((await other.sendReceipt(await other.receipt())).status, 200);
  const ended = await ask(other.setting.url + PATHS.end, { method: "POST", headers: other.authorization });
  assert.equal(ended.json["phase"], "ended");
});

test("passes begun at the same time do not slip past a limit together", async (context) => {
  const contributor = await served(context);
  limit(contributor, { past: "refuse" });
  const buyers = await Promise.all([
    opened(contributor, OTHER),
    opened(contributor),
    opened(contributor, OTHER),
  ]);
  const answers = await Promise.all(buyers.map((buyer) => buyer.send(1, buyer.request([0], 3).body)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409]);
});

test("a buyer is shown its own figures and limit, nothing of others", async (context) => {
  const contributor = await served(context);
  const buyer = await opened(contributor);
  const other = await opened(contributor, OTHER);
  await buyer.pass(1);
  await other.pass(3);
  await measured(contributor, ranksAre(4, 4, 4));
  limit(contributor, { past: "refuse", maxRatio: 2, maxBuyerRatio: 1.5 });
  const { json } = await buyer.get(PATHS.leakage);
  assert.deepEqual(json, {
    tokensSold: 1,
    dInHalf: 3,
    ratio: 1 / 3,
    ranks: [1, 1, 1],
    past: "refuse",
    tokensLeft: 3,
  });
  assert.equal((await ask(buyer.setting.url + PATHS.leakage)).code, "session/unauthorised");
});

test("an adapter that is sold out is not offered", async (context) => {
  const contributor = await served(context);
  const { url } = contributor.service;
  const offers = async (): Promise<number> => {
    const [adapter] = (await ask(url + PATHS.service)).json["adapters"] as { offers: unknown[] }[];
    return adapter!.offers.length;
  };
  assert.equal(await offers(), 1);
  await (await opened(contributor)).pass(3);
  assert.equal(await offers(), 1);
  limit(contributor, { past: "refuse" });
  await until(async () => (await offers()) === 0, "no more offers");
});

test("an offer below what the adapter is worth, or beyond its limit, is not signed", async (context) => {
  const contributor = await served(context);
  const { data, account, adapterId } = contributor;
  const make = (terms: object) => makeOffer(data, DOMAIN, account, { adapterId, ...TERMS, ...terms });
  const ETH = "0x0000000000000000000000000000000000000000";
  limit(contributor, { worth: { amount: 31n, token: ETH } });
  await assert.rejects(make({ pricePerToken: 10n }), {
    code: "offer/below-worth",
    field: "pricePerToken",
    hint: /at least 11:/,
  });
  await make({ pricePerToken: 11n });
  await assert.rejects(make({ pricePerToken: 11n, token: OTHER }), { code: "offer/other-token-than-worth" });

  limit(contributor, { past: "refuse", maxRatio: 3, maxBuyerRatio: 2 });
  await assert.rejects(make({ tokenCap: 7n }), { code: "offer/past-leakage-limit", field: "tokenCap" });
  await make({ tokenCap: 6n });
  await (await opened(contributor)).pass(5);
  await assert.rejects(make({ tokenCap: 5n }), { code: "offer/past-leakage-limit" });
  await make({ tokenCap: 4n });
});

test("the owner hears once when a buyer, or all together, pass a limit", async (context) => {
  const contributor = await served(context);
  const buyer = await opened(contributor);
  for (const tokens of [3, 1, 1]) await buyer.pass(tokens);
  await (await opened(contributor, OTHER)).pass(1);
  const told = contributor.events.flatMap((event) =>
    event.type === "leakage" ? [[event.of, event.tokensSold]] : [],
  );
  assert.deepEqual(told, [
    ["buyer", 4],
    ["all", 4],
  ]);
});

test("policies that mean nothing are refused by the field at fault", async (context) => {
  const contributor = await registered(context);
  for (const [field, value] of [
    ["maxRatio", 0],
    ["maxRatio", Number.NaN],
    ["maxBuyerRatio", -1],
    ["past", "panic"],
  ] as const)
    assert.throws(() => limit(contributor, { [field]: value }), { code: "leakage/bad-policy", field });
});

test("ranks are measured of the narrowest modules, as far as it can be afforded", () => {
  const modules = [4096, 768, 128, 640, 128].map((dIn) => ({
    name: "",
    dIn,
    dOut: 1,
    r: 1,
    group: 0,
    slot: 0,
  }));
  assert.deepEqual([...trackedModules({ modules })], [2, 4, 3, 1]);
  assert.deepEqual([...trackedModules({ modules: modules.slice(0, 1) })], []);
});

test("of many buyers who come back and show nothing new only some are kept in memory", async (context) => {
  const { data, adapterId } = await registered(context);
  const { database } = data;
  const width = 1000;
  const layout = {
    ...manifestLayout(readManifest(data, adapterId)),
    modules: [{ name: "", dIn: width, dOut: 1, r: 1, group: 0, slot: 0 }],
  };
  const unit = (pivot: number): Int32Array => new Int32Array(width).fill(1, pivot, pivot + 1);
  const rows = Array.from({ length: width - 1 }, (_, pivot) => ({ pivot, row: unit(pivot) }));
  // 4 MB each; 64 MB are kept.
  const buyers = Array.from({ length: 18 }, (_, i) => `0x${String(i).padStart(40, "0")}` as const);
  const store = new RankStore(database);
  transaction(database, () => {
    for (const buyer of buyers) store.add({ adapterId, buyer, module: 0 }, width, 0, rows);
    store.add({ adapterId, buyer: "", module: 0 }, width, 0, [...rows, { pivot: width - 1, row: unit(0) }]);
  });
  const prepare = database.prepare.bind(database);
  let reads = 0;
  database.prepare = (sql) => {
    if (sql.includes("FROM rank_row")) reads++;
    return prepare(sql);
  };
  const meter = new RankMeter(database, assert.ifError);
  const inputs = new Map([[0, new Int16Array(width).fill(1, 0, 1)]]);
  for (const buyer of [...buyers, buyers[0]!])
    meter.observe({ agreementId: "0x", adapterId, buyer, layout, inputs });
  await meter.idle();
  assert.equal(reads, buyers.length + 1, "the first one made room and is read again");
});
