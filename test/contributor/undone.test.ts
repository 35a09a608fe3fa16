/** What the chain showed and shows no more, and what a node claims that cannot be: nothing is given up for it. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AgreementWatch } from "../../runner/contributor/agreementWatch.ts";
import type { ContributorChain } from "../../runner/contributor/chainView.ts";
import { Retries } from "../../runner/contributor/retries.ts";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import type { TestBuyer } from "./buyer.ts";
import { type Served, served, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const unixNow = (): bigint => BigInt(Math.floor(Date.now() / 1000));
const record = ({ data }: Served, { agreementId }: TestBuyer) =>
  new AgreementStore(data.database).get(agreementId);

async function paidPass(contributor: Served): Promise<TestBuyer> {
  const buyer = await contributor.buyer();
  await buyer.open();
  await buyer.pass(2);
  await buyer.pay();
  return buyer;
}

test("an agreement that is no longer on chain is served no more, and not for one look that missed it", async (context) => {
  const contributor = await served(context);
  const { chain } = contributor;
  const [gone, missed] = [await paidPass(contributor), await paidPass(contributor)];
  const read = chain.readAgreement.bind(chain);
  let looks = 0;
  chain.readAgreement = async (agreementId, at) => {
    if (agreementId === missed.agreementId && ++looks === 1) return undefined;
    return read(agreementId, at);
  };
  chain.agreements.delete(gone.agreementId);
  await until(() => record(contributor, gone).phase === "ended", "the end of serving");
  await until(() => looks > 3, "more looks");
  assert.match(record(contributor, gone).reason!, /no longer on chain/);
  assert.equal(record(contributor, missed).phase, "serving");
});

test("a settlement that the chain shows no more is sent again", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const { chain } = contributor;
  const buyer = await paidPass(contributor);
  await buyer.end();
  await until(() => record(contributor, buyer).phase === "settled", "the settlement");
  chain.settled.clear();
  chain.agreements.get(buyer.agreementId)!.paid = 0n;
  await until(() => chain.settled.size === 1, "the settlement, again");
  assert.deepEqual(chain.sent.slice(-2), ["settle", "settle"]);
});

test("one given up for what a node claimed is settled when the chain shows it open", async (context) => {
  const contributor = await served(context);
  const { chain } = contributor;
  const buyer = await paidPass(contributor);
  await buyer.end();
  await contributor.service.close();
  chain.agreements.get(buyer.agreementId)!.status = "refunded";
  const again = await served(context, { by: contributor, serve: { settle: true } });
  await until(() => record(again, buyer).phase === "closed", "its closing");
  chain.agreements.get(buyer.agreementId)!.status = "open";
  await until(() => record(again, buyer).phase === "settled", "the settlement");
});

test("where the newest block is older than a close could be, no pass begins", async (context) => {
  const contributor = await served(context);
  const buyer = await contributor.buyer();
  await buyer.open();
  contributor.chain.ahead = -3600n;
  assert.equal((await buyer.send(1, buyer.request([0], 1).body)).code, "session/close-window");
  contributor.chain.ahead = 0n;
  assert.equal((await buyer.send(1, buyer.request([0], 1).body)).status, 200);
});

test("a node that claims a time yet to come does not make a deadline pass", async () => {
  const claims = (chainId: bigint): AgreementWatch =>
    new AgreementWatch(
      {
        chainId,
        readAgreement: async () => undefined,
        finalTime: async () => unixNow() + 10_000n,
      } as unknown as ContributorChain,
      0,
    );
  const id = `0x${"07".repeat(32)}` as const;
  assert.ok((await claims(1n).final(id)).time <= unixNow());
  // A local chain's clock is its owner's.
  assert.ok((await claims(31337n).final(id)).time > unixNow() + 5000n);
});

test("pauses after failures grow to a minute, and differ", () => {
  const retries = new Retries<number>(100);
  const pauses = Array.from({ length: 20 }, (_, key) => retries.failed(key));
  assert.ok(pauses.every((pause) => pause >= 50 && pause < 150));
  assert.ok(new Set(pauses).size > 10);
  assert.equal(retries.isDue(0), false);
  for (let i = 0; i < 20; i++) retries.failed(0);
  const longest = retries.failed(0);
  assert.ok(longest >= 30_000 && longest < 90_000);
  retries.succeeded(0);
  assert.equal(retries.isDue(0), true);
});
