import assert from "node:assert/strict";
import { after, test } from "node:test";
import { inspect } from "node:util";
import { loadServedAdapter } from "../../runner/contributor/adapters.ts";
import { keptProvers, PINNED_KEYS } from "../../runner/contributor/loadAdapters.ts";
import { Settlement, type StatementProver } from "../../runner/contributor/settlement.ts";
import { contributorStatus } from "../../runner/contributor/status.ts";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import { ReceiptStore } from "../../runner/contributor/store/receipts.ts";
import { loadCommitKey } from "../../runner/keys/load.ts";
import { type Hex, toHex, uintLE } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { DeltapayError } from "../../runner/protocol/errors.ts";
import { decodeState } from "../../runner/protocol/sessionState.ts";
import { groupWitness } from "../../runner/protocol/statement.ts";
import { verifyProof } from "../../runner/prover/prove.ts";
import { bundleSchema } from "../../runner/wire/messages.ts";
import { PATHS } from "../../runner/wire/paths.ts";
import type { TestBuyer } from "./buyer.ts";
import { type Served, served, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const provers = keptProvers(PINNED_KEYS);

/** A buyer who has paid for some passes and ended. */
async function endedSession(contributor: Served): Promise<TestBuyer> {
  const buyer = await contributor.buyer();
  await buyer.open();
  await buyer.pass(3);
  await buyer.pay();
  await buyer.pass(2);
  await buyer.pay();
  await buyer.end();
  return buyer;
}

function settlementOf(
  { data, chain, adapterId }: Served,
  prover: (size: number) => Promise<StatementProver> = provers,
): Settlement {
  const adapter = loadServedAdapter(data, adapterId);
  return new Settlement({ data, chain, adapter: () => adapter, prover });
}

const phase = ({ data }: Served, agreementId: Hex): unknown =>
  new AgreementStore(data.database).get(agreementId).phase;

test("an ended session is proven and settled by itself, and its buyer can see it", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const { chain, events } = contributor;
  const buyer = await endedSession(contributor);
  await until(() => phase(contributor, buyer.agreementId) === "settled", "the settlement");
  const view = (await buyer.get(PATHS.session)).json;
  assert.deepEqual([view["phase"], view["settlement"]], ["settled", toHex(new Uint8Array(32).fill(2))]);
  assert.equal(chain.agreements.get(buyer.agreementId)!.paid, 50n);
  assert.deepEqual(
    events.flatMap((event) => (event.type === "proving" ? [[event.done, event.total]] : [])),
    [
      [1, 2],
      [2, 2],
    ],
  );
  const settled = events.find((event) => event.type === "settled");
  assert.deepEqual([settled?.tokens, settled?.owed], [5, 50n]);
  const [status] = contributorStatus(contributor.data).agreements;
  assert.deepEqual([status!.proofs, status!.transactions.length], [2, 1]);
});

test("the bundle's proofs verify against the statements the buyer signed", async (context) => {
  const contributor = await served(context);
  const buyer = await endedSession(contributor);
  assert.equal((await buyer.get(PATHS.bundle)).code, "session/not-proven");
  const made = await settlementOf(contributor).proveAgreement(buyer.agreementId);
  const bundle = bundleSchema.parse((await buyer.get(PATHS.bundle)).json);
  assert.deepEqual(bundle, made);
  assert.deepEqual(bundle.receipt, await buyer.receipt());
  const key = await loadCommitKey(14);
  for (const { group, ...proof } of bundle.claims) {
    const [x, y] = bundle.V[group]!;
    const V = new Uint8Array([...uintLE(x, 32).reverse(), ...uintLE(y, 32).reverse()]);
    assert.equal(await verifyProof(key, V, proof), true);
  }
});

test("no scalar of the witness is in the bundle, an event, the database's proofs or the status", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const { data, adapterId, events } = contributor;
  const buyer = await endedSession(contributor);
  await until(() => phase(contributor, buyer.agreementId) === "settled", "the settlement");
  const adapter = loadServedAdapter(data, adapterId);
  const stored = new ReceiptStore(data.database).readState(buyer.agreementId)!;
  const state = decodeState(adapter.layout, stored);
  const text = [
    JSON.stringify((await buyer.get(PATHS.bundle)).json),
    JSON.stringify((await buyer.get(PATHS.session)).json),
    inspect(events, { depth: null }),
    inspect(contributorStatus(data), { depth: null }),
    inspect(data.database.prepare("SELECT * FROM proof").all(), { depth: null }),
  ].join("\n");
  assert.ok(text.includes('"claims"'));
  for (let group = 0; group < 2; group++) {
    const { yhat, h, s, blind } = groupWitness(adapter.layout, adapter.weights, adapter.blinds, state, group);
    for (const scalar of [yhat, blind, ...h, ...s].filter((value) => value > 2n ** 64n))
      for (const spelling of [
        scalar.toString(),
        scalar.toString(16),
        toHex(uintLE(scalar, 32)).slice(2),
        toHex(uintLE(scalar, 32).toReversed()).slice(2),
      ])
        assert.ok(!text.includes(spelling));
  }
});

test("proving that was interrupted goes on with the proofs that are missing", async (context) => {
  const contributor = await served(context);
  const buyer = await endedSession(contributor);
  const real = await provers(14);
  let made = 0;
  const tired: StatementProver = {
    prove: async (witness, V) => {
      if (made === 1) throw new Error("the machine stopped");
      made++;
      return real.prove(witness, V);
    },
  };
  await assert.rejects(
    settlementOf(contributor, async () => tired).proveAgreement(buyer.agreementId),
    /stopped/,
  );
  assert.equal(contributorStatus(contributor.data).agreements[0]!.proofs, 1);
  assert.equal((await buyer.get(PATHS.bundle)).code, "session/not-proven");
  assert.equal((await buyer.get(PATHS.session)).json["phase"], "proving");
  const progress: number[] = [];
  await settlementOf(contributor).proveAgreement(buyer.agreementId, (done) => progress.push(done));
  assert.deepEqual(progress, [2]);
});

test("a service and a command may prove the same session at the same time", async (context) => {
  const contributor = await served(context);
  const { agreementId } = await endedSession(contributor);
  const [left, right] = await Promise.all(
    [settlementOf(contributor), settlementOf(contributor)].map((one) => one.proveAgreement(agreementId)),
  );
  assert.equal(left!.claims.length, 2);
  assert.deepEqual(left, right);
});

test("a settlement whose answer was lost is found, not sent again", async (context) => {
  const contributor = await served(context);
  const { chain } = contributor;
  const buyer = await endedSession(contributor);
  const send = chain.settle.bind(chain);
  chain.settle = async (request) => {
    await send(request);
    throw new DeltapayError("chain/unreachable", "the answer was lost");
  };
  const settlement = settlementOf(contributor);
  await assert.rejects(settlement.settleAgreement(buyer.agreementId), { code: "chain/unreachable" });
  const outcome = await settlement.settleAgreement(buyer.agreementId);
  assert.deepEqual([outcome.status, outcome.status === "settled" && outcome.owed], ["settled", 50n]);
  assert.deepEqual(chain.sent.filter((name) => name === "settle").length, 1);
});

test("a settlement that is not final is watched until it is, and sent again when it is undone", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const { chain } = contributor;
  chain.settlesFinally = false;
  const buyer = await endedSession(contributor);
  const sent = (): number => chain.sent.filter((name) => name === "settle").length;
  await until(() => sent() === 1, "the first settlement");
  assert.equal(phase(contributor, buyer.agreementId), "proving");
  // the block that held it is gone
  chain.settled.clear();
  chain.settlesFinally = true;
  await until(() => phase(contributor, buyer.agreementId) === "settled", "the second settlement");
  assert.equal(sent(), 2);
});

test("what is still served cannot be proven, nor what nobody signed", async (context) => {
  const contributor = await served(context);
  const buyer = await contributor.buyer();
  await buyer.open();
  await buyer.pass(2);
  const settlement = settlementOf(contributor);
  await assert.rejects(settlement.proveAgreement(buyer.agreementId), { code: "session/still-serving" });
  await buyer.end();
  await assert.rejects(settlement.proveAgreement(buyer.agreementId), { code: "session/no-receipt" });
  assert.equal((await buyer.get(PATHS.bundle)).code, "session/no-receipt");
  // a receipt can still come
  assert.equal((await buyer.pay()).status, 200);
  await settlement.proveAgreement(buyer.agreementId);
  await buyer.get(PATHS.session);
  const late = await buyer.sendReceipt(await buyer.receipt({ tokens: 9n }));
  assert.equal(late.code, "session/ended");
});

test("after a wrong receipt the one before it is settled", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const buyer = await contributor.buyer();
  await buyer.open();
  await buyer.pass(3);
  await buyer.pay();
  await buyer.pass(4);
  await buyer.sendReceipt(await buyer.receipt({ tokens: 3n }));
  await until(() => phase(contributor, buyer.agreementId) === "settled", "the settlement");
  assert.equal(contributor.chain.agreements.get(buyer.agreementId)!.paid, 30n);
});

test("a deposit that is used up, and receipted, ends and settles by itself", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const buyer = await contributor.buyer({ amount: 55n });
  await buyer.open();
  await buyer.pass(5);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(phase(contributor, buyer.agreementId), "serving", "a receipt is still to come");
  await buyer.pay();
  await until(() => phase(contributor, buyer.agreementId) === "settled", "the settlement");
});

test("an agreement that closes on chain, or nears its deadline, ends and settles by itself", async (context) => {
  const contributor = await served(context, { serve: { settle: true, marginSeconds: 600 } });
  const { chain, events } = contributor;
  const [closing, near] = [await contributor.buyer(), await contributor.buyer()];
  for (const buyer of [closing, near]) {
    await buyer.open();
    await buyer.pass(1);
    await buyer.pay();
  }
  chain.agreements.get(closing.agreementId)!.status = "closing";
  await until(() => phase(contributor, closing.agreementId) === "settled", "the closing one's settlement");
  assert.equal(phase(contributor, near.agreementId), "serving");
  chain.ahead = 3300n;
  await until(() => phase(contributor, near.agreementId) === "settled", "the late one's settlement");
  assert.deepEqual(
    events.flatMap((event) => (event.type === "ended" ? [event.reason] : [])),
    ["the agreement is closing on chain", "the deadline is near"],
  );
});

test("without a receipt nothing is settled: it closes at once if nothing was served, else at the deadline", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const { chain } = contributor;
  const [nothing, unpaid] = [await contributor.buyer(), await contributor.buyer()];
  for (const buyer of [nothing, unpaid]) await buyer.open();
  await unpaid.pass(2);
  for (const buyer of [nothing, unpaid]) await buyer.end();
  await until(() => phase(contributor, nothing.agreementId) === "closed", "the end of the first");
  assert.equal(phase(contributor, unpaid.agreementId), "ended");
  chain.ahead = 4000n;
  await until(() => phase(contributor, unpaid.agreementId) === "closed", "the end of the second");
  assert.deepEqual(chain.sent, ["register"]);
});

test("a refunded agreement is closed, not settled", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const buyer = await contributor.buyer();
  await buyer.open();
  await buyer.pass(2);
  await buyer.pay();
  contributor.chain.agreements.get(buyer.agreementId)!.status = "refunded";
  await until(() => phase(contributor, buyer.agreementId) === "closed", "the end");
  assert.deepEqual(contributor.chain.sent, ["register"]);
});

test("what an operator settled before the end is seen, not lost", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const { chain } = contributor;
  const buyer = await contributor.buyer();
  await buyer.open();
  await buyer.pass(2);
  await buyer.pay();
  const receipt = await buyer.receipt();
  await chain.settle({ agreementId: buyer.agreementId, receipt, signature: "0x", V: [], claims: [] });
  chain.agreements.get(buyer.agreementId)!.status = "released";
  await until(() => phase(contributor, buyer.agreementId) === "settled", "the settlement");
  assert.equal(chain.sent.filter((name) => name === "settle").length, 1);
});

test("a failure is told and tried again", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const buyer = await contributor.buyer();
  await buyer.open();
  await buyer.pass(2);
  await buyer.pay();
  contributor.chain.failNext = new DeltapayError("chain/unreachable", "the node is gone");
  await buyer.end();
  await until(() => phase(contributor, buyer.agreementId) === "settled", "the settlement");
  const failed = contributor.events.find((event) => event.type === "failed");
  assert.deepEqual([failed?.agreementId, failed?.error.code], [buyer.agreementId, "chain/unreachable"]);
});

test("without settling, an ended session waits", async (context) => {
  const contributor = await served(context);
  const buyer = await endedSession(contributor);
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(phase(contributor, buyer.agreementId), "ended");
  assert.deepEqual(contributor.chain.sent, ["register"]);
});
