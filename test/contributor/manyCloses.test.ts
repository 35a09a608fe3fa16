/** One party that opens many long agreements and closes them all at once: what was served of each is still paid. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import type { TestBuyer } from "./buyer.ts";
import { type Served, served, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const unixNow = (): bigint => BigInt(Math.floor(Date.now() / 1000));
const phaseOf = ({ data }: Served, { agreementId }: TestBuyer): string =>
  new AgreementStore(data.database).get(agreementId).phase;

/** A pass and its receipt of as many agreements. */
async function paid(contributor: Served, count: number): Promise<TestBuyer[]> {
  const buyers: TestBuyer[] = [];
  for (let i = 0; i < count; i++) {
    const buyer = await contributor.buyer();
    await buyer.open();
    await buyer.pass(1);
    assert.equal((await buyer.pay()).status, 200);
    buyers.push(buyer);
  }
  return buyers;
}

test("no pass begins that could not be settled if every agreement were closed at once", async (context) => {
  // 10 s for itself and 1 s for the age of the chain's word; each before it takes 2 groups of 2 s and a block, 5 s: six fit before the seventh.
  const contributor = await served(context, {
    terms: { closeWindow: 41n },
    serve: { marginSeconds: 10, maxAgeMs: 1000, pollMs: 60_000 },
  });
  const buyers = await Promise.all(Array.from({ length: 20 }, () => contributor.buyer()));
  for (const buyer of buyers) await buyer.open();
  // All at the same moment: whoever is admitted counts for the others, before its pass is finished.
  const { chain, service } = contributor;
  const { sessions } = service;
  const read = chain.readAgreement.bind(chain);
  const asked = new Set<string>();
  const everybody = Promise.withResolvers<void>();
  chain.readAgreement = async (agreementId, at) => {
    if (asked.add(agreementId).size === buyers.length) everybody.resolve();
    await everybody.promise;
    return read(agreementId, at);
  };
  const answers = await Promise.allSettled(
    buyers.map((buyer) => sessions.answerPass(buyer.agreementId, 1, buyer.request([0, 1], 1).body)),
  );
  const codes = answers
    .map((answer) => (answer.status === "fulfilled" ? "served" : answer.reason.code))
    .sort((a, b) => (a < b ? -1 : 1));
  assert.deepEqual(codes, [
    ...Array<string>(7).fill("served"),
    ...Array<string>(13).fill("session/close-window"),
  ]);
});

test("twenty agreements closed at once are all settled within their closeWindow", async (context) => {
  const closeWindow = 120n;
  const contributor = await served(context, {
    terms: { closeWindow, maxOpens: 100n },
    serve: { settle: true, marginSeconds: 10, maxAgeMs: 100 },
  });
  const buyers = await paid(contributor, 20);
  const closed = unixNow();
  for (const { agreementId } of buyers)
    Object.assign(contributor.chain.agreements.get(agreementId)!, {
      status: "closing",
      deadline: closed + closeWindow,
    });
  await until(() => buyers.every((buyer) => phaseOf(contributor, buyer) === "settled"), "all settlements");
  assert.ok(unixNow() < closed + closeWindow);
  for (const { agreementId } of buyers)
    assert.equal(contributor.chain.agreements.get(agreementId)!.paid, 10n);
});
