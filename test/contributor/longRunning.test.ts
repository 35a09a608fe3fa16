/** A service that is left running for weeks: what it keeps does not grow with its buyers, and no failure spreads. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { loadServedAdapter } from "../../runner/contributor/adapters.ts";
import type { ContributorEvent } from "../../runner/contributor/events.ts";
import { LiveSessions } from "../../runner/contributor/session/liveSessions.ts";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import { ReceiptStore } from "../../runner/contributor/store/receipts.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { PATHS } from "../../runner/wire/paths.ts";
import type { TestBuyer } from "./buyer.ts";
import { type Served, served, smallKey, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const phase = ({ data }: Served, { agreementId }: TestBuyer): string =>
  new AgreementStore(data.database).get(agreementId).phase;

const rows = ({ data }: Served, table: string): number =>
  Number(data.database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!["n"]);

/** Agreements seen for the first time, as a session's opening leaves them. */
async function openedBuyers(contributor: Served, count: number): Promise<TestBuyer[]> {
  const buyers: TestBuyer[] = [];
  for (let i = 0; i < count; i++) {
    const buyer = await contributor.buyer();
    await buyer.open();
    buyers.push(buyer);
  }
  return buyers;
}

async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose_gc");
  const collect = runInNewContext("gc") as () => void;
  // What a weak reference gave lives until the turn ends.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
}

test("with an agreement's end the answers of its last pass go; its buyer still sees it and its proofs", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const [paid, unpaid] = (await openedBuyers(contributor, 2)) as [TestBuyer, TestBuyer];
  await paid.pass(2);
  await paid.pay();
  assert.equal(rows(contributor, "answer"), 3);
  await paid.end();
  await until(() => phase(contributor, paid) === "settled", "the settlement");
  await unpaid.end();
  await until(() => phase(contributor, unpaid) === "closed", "the end of what nothing was asked of");
  assert.deepEqual([rows(contributor, "answer"), rows(contributor, "pass_input")], [0, 0]);
  const { json } = await paid.get(PATHS.session);
  assert.deepEqual([json["phase"], json["passes"], json["openPass"]], ["settled", 1, null]);
  assert.equal((await paid.get(PATHS.bundle)).status, 200);
});

test("with an agreement's end its state is stored once: with the receipt that covers it, or by itself", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const [paid, further] = (await openedBuyers(contributor, 2)) as [TestBuyer, TestBuyer];
  for (const buyer of [paid, further]) {
    await buyer.pass(2);
    await buyer.pay();
  }
  await further.pass(2);
  const { database } = contributor.data;
  const agreements = new AgreementStore(database);
  const before = [paid, further].map(({ agreementId }) => agreements.readState(agreementId));
  for (const buyer of [paid, further]) {
    await buyer.end();
    await until(() => phase(contributor, buyer) === "settled", "the settlement");
  }
  assert.deepEqual(
    [paid, further].map(({ agreementId }) => agreements.readState(agreementId)),
    before,
  );
  const stored = database.prepare("SELECT length(state) AS bytes FROM agreement ORDER BY rowid").all();
  assert.deepEqual(
    stored.map((row) => row["bytes"]),
    [0, before[1]!.length],
  );
});

test("of many agreements only some are in memory; each goes on where it was", async (context) => {
  const contributor = await served(context);
  const buyers = await openedBuyers(contributor, 70);
  const [first] = buyers as [TestBuyer];
  await first.pass(2);
  for (const buyer of buyers.slice(1)) await buyer.get(PATHS.session);
  await first.pass(2);
  assert.equal((await first.pay()).status, 200);

  const { data, adapterId } = contributor;
  const adapter = { ...loadServedAdapter(data, adapterId), key: await smallKey() };
  const live = new LiveSessions({ data, adapters: new Map([[adapterId, adapter]]) });
  const loaded = new WeakRef(live.get(first.agreementId));
  const held = live.get(buyers[1]!.agreementId);
  for (const { agreementId } of buyers.slice(2)) live.get(agreementId);
  await collectGarbage();
  assert.ok(loaded.deref() === undefined, "nobody asked for it lately");
  const again = live.get(buyers[1]!.agreementId);
  assert.ok(again === held, "what is worked with is not loaded a second time");
});

test("what is over is not kept in memory for whoever asks for it, and shown without reading its sums", async (context) => {
  const contributor = await served(context);
  const [buyer] = (await openedBuyers(contributor, 1)) as [TestBuyer];
  await buyer.pass(2);
  const { data, adapterId } = contributor;
  new AgreementStore(data.database).move(buyer.agreementId, ["serving"], "closed", "nothing was asked");
  const adapter = { ...loadServedAdapter(data, adapterId), key: await smallKey() };
  const live = new LiveSessions({ data, adapters: new Map([[adapterId, adapter]]) });
  const loaded = new WeakRef(live.get(buyer.agreementId));
  await collectGarbage();
  assert.ok(loaded.deref() === undefined, "it is kept");
  const { passes, tokens, head, xBar, yBar } = live.get(buyer.agreementId).state;
  assert.deepEqual([passes, tokens, head, xBar, yBar], [1, 2, buyer.state.head, [], []]);
});

test("a receipt changes as many rows whether few or many came before it", async (context) => {
  const contributor = await served(context);
  const [buyer] = (await openedBuyers(contributor, 1)) as [TestBuyer];
  const { database } = contributor.data;
  const store = new ReceiptStore(database);
  const receipt = await (async () => {
    await buyer.pass(1);
    return buyer.receipt();
  })();
  const changes = (): number => Number(database.prepare("SELECT total_changes() AS n").get()!["n"]);
  const add = (passes: number): number => {
    const before = changes();
    const taken = { ...receipt, passes: BigInt(passes) };
    store.add({ receipt: taken, signature: "0x00", statements: [] }, new Uint8Array(4));
    return changes() - before;
  };
  assert.equal(add(1), 1);
  for (let passes = 2; passes < 40; passes++) assert.equal(add(passes), 2);
  const kept = database.prepare("SELECT passes FROM receipt WHERE state IS NOT NULL").all();
  assert.deepEqual(
    kept.map((row) => row["passes"]),
    [39],
  );

  store.add({ receipt: { ...receipt, passes: 100n }, signature: "0x00", statements: [] }, new Uint8Array(5));
  store.add({ receipt: { ...receipt, passes: 99n }, signature: "0x00", statements: [] }, new Uint8Array(6));
  const state = store.readState(receipt.agreementId);
  assert.equal(state?.length, 5, "one that comes late does not take the newest one's away");
});

test("a log that cannot be written keeps nothing from being served and settled", async (context) => {
  const onEvent = ({ type }: ContributorEvent): void => {
    if (type !== "listening") throw new Error("ENOSPC: no space left on device");
  };
  const contributor = await served(context, { serve: { settle: true, onEvent } });
  const [buyer] = (await openedBuyers(contributor, 1)) as [TestBuyer];
  await buyer.pass(2);
  assert.equal((await buyer.pay()).status, 200);
  contributor.chain.failNext = new Error("the node is away");
  await buyer.end();
  await until(() => phase(contributor, buyer) === "settled", "the settlement after a failure");
});

test("of many agreements at a slow node the last does not wait for all before it, and the node is not flooded", async (context) => {
  const contributor = await served(context);
  const buyers = await openedBuyers(contributor, 40);
  const { chain } = contributor;
  const readAgreement = chain.readAgreement.bind(chain);
  const closing = buyers.at(-1)!;
  const looks: Hex[] = [];
  let underWay = 0;
  let most = 0;
  chain.readAgreement = async (agreementId, at) => {
    looks.push(agreementId);
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, 2));
    underWay--;
    return readAgreement(agreementId, at);
  };
  chain.agreements.get(closing.agreementId)!.status = "closing";
  await until(() => phase(contributor, closing) === "ended", "the end of the one that closes");
  assert.equal(new Set(looks).size, 40);
  assert.ok(most > 4 && most <= 16, `${most} looks at once`);
});
