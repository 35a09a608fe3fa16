import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Admission, admitPass } from "../../runner/contributor/admission.ts";
import { makeOffer } from "../../runner/contributor/offers.ts";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import { ProofStore } from "../../runner/contributor/store/proofs.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { DOMAIN } from "./memoryChain.ts";
import { registered, served, TERMS } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

/** A pass that is just admitted, at every limit at once. */
const AT_ALL_LIMITS: Admission = {
  offer: { maxUnpaidTokens: 8n, tokenCap: 30n, closeWindow: 50n },
  agreement: { status: "open", amount: 300n, paid: 220n, pricePerToken: 10n, deadline: 1000n },
  openedDeadline: 1000n,
  tokens: 25n,
  covered: 22n,
  passTokens: 5n,
  now: 899n,
  margin: 100n,
  closeMargin: 50n,
};

test("a pass is admitted up to every limit, and not one step beyond any", () => {
  admitPass(AT_ALL_LIMITS);
  const { offer, agreement } = AT_ALL_LIMITS;
  const beyond: [code: string, change: Partial<Admission>][] = [
    ["session/deadline", { now: 900n }],
    ["session/deadline", { margin: 101n }],
    ["session/closing", { agreement: { ...agreement, status: "closing" } }],
    ["session/closing", { agreement: { ...agreement, deadline: 999n } }],
    ["session/older-folder", { agreement: { ...agreement, paid: 221n } }],
    ["session/close-window", { closeMargin: 51n }],
    ["session/unpaid-limit", { offer: { ...offer, maxUnpaidTokens: 7n } }],
    ["session/token-cap", { offer: { ...offer, tokenCap: 29n } }],
    ["session/deposit-used-up", { agreement: { ...agreement, amount: 299n } }],
  ];
  for (const [code, change] of beyond)
    assert.throws(() => admitPass({ ...AT_ALL_LIMITS, ...change }), { code }, code);
});

test("what the chain paid up to the deposit is no sign of an older folder", () => {
  const { agreement } = AT_ALL_LIMITS;
  const capped = { agreement: { ...agreement, paid: 100n, amount: 100n, pricePerToken: 10n }, covered: 25n };
  assert.throws(() => admitPass({ ...AT_ALL_LIMITS, ...capped }), { code: "session/deposit-used-up" });
});

test("an older data folder does not serve again what the chain has paid", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const buyer = await newBuyer({ paid: 200n });
  await buyer.open();
  assert.equal((await buyer.send(1, buyer.request([0], 1).body)).code, "session/older-folder");
});

test("a deadline that no number holds is refused before anything is stored", async (context) => {
  const { data, buyer: newBuyer } = await served(context);
  for (const deadline of [2n ** 40n + 1n, 2n ** 60n, 2n ** 64n - 1n]) {
    const buyer = await newBuyer({ deadline });
    const answer = await buyer.open();
    assert.deepEqual([answer.status, answer.code], [409, "session/deadline-too-far"]);
  }
  assert.deepEqual(new AgreementStore(data.database).list(), []);
  assert.equal((await (await newBuyer({ deadline: 2n ** 40n })).open()).status, 201);
});

test("an offer leaves time to prove and settle, at the deadline and after a close", async (context) => {
  const { data, account, adapterId } = await registered(context);
  const make = (terms: object) => makeOffer(data, DOMAIN, account, { adapterId, ...TERMS, ...terms });
  for (const field of ["minDuration", "closeWindow"]) {
    for (const [seconds, code] of [
      [0n, "offer/too-short"],
      // 2 groups of 2 s, inclusion 5 s, the last receipt 2 s, the age of the chain's word 1 s
      [11n, "offer/too-short"],
      [2n ** 63n, "offer/too-long"],
    ] as const)
      await assert.rejects(make({ [field]: seconds }), { code, field });
    await make({ [field]: 12n });
  }
});

test("a proof that took an hour, its process stopped meanwhile, is not what proofs take from then on", async (context) => {
  const { data, account, adapterId, buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  await buyer.pass(1);
  await buyer.pay();
  const proofs = new ProofStore(data.database);
  const taken = (group: number, proveMs: number): void =>
    proofs.add(buyer.agreementId, 1n, { group, a: [0n, 0n], b: [0n, 0n, 0n, 0n], c: [0n, 0n] }, proveMs);
  assert.equal(proofs.slowest(), undefined);
  taken(0, 100);
  assert.equal(proofs.slowest(), 100);
  taken(1, 3_600_000);
  assert.equal(proofs.slowest(), 100);
  taken(2, 400);
  assert.equal(proofs.slowest(), 400);
  await makeOffer(data, DOMAIN, account, { adapterId, ...TERMS });
});

test("where settling takes longer now than the offer's closeWindow, no pass begins", async (context) => {
  const { buyer: newBuyer } = await served(context, {
    terms: { closeWindow: 100n },
    serve: { marginSeconds: 100, maxAgeMs: 1000 },
  });
  const buyer = await newBuyer();
  await buyer.open();
  assert.equal((await buyer.send(1, buyer.request([0], 1).body)).code, "session/close-window");
});

test("the margin before a deadline grows with what is settled before it", async (context) => {
  const { chain, buyer: newBuyer } = await served(context, { serve: { marginSeconds: 100, pollMs: 60_000 } });
  const deadline = BigInt(Math.floor(Date.now() / 1000) + 3600);
  const [first, second] = [await newBuyer({ deadline }), await newBuyer({ deadline: deadline + 1n })];
  for (const buyer of [first, second]) await buyer.open();
  const setTime = (beforeDeadline: bigint): void => {
    chain.ahead = deadline - beforeDeadline - BigInt(Math.floor(Date.now() / 1000));
  };
  // 2 groups of 2 s and a block: 5 s more once the first has something to prove
  setTime(103n);
  await second.pass(1);
  await second.pay();
  setTime(3600n);
  await first.pass(1);
  setTime(103n);
  assert.equal((await second.send(2, second.request([0], 1).body)).code, "session/deadline");
  await first.pass(1);
});

test("what was proven for a wallet to settle is counted until its deadline, not for ever", async (context) => {
  const {
    chain,
    data,
    buyer: newBuyer,
  } = await served(context, {
    serve: { marginSeconds: 100, pollMs: 60_000 },
  });
  const now = Math.floor(Date.now() / 1000);
  const [proven, next] = [await newBuyer(), await newBuyer({ deadline: BigInt(now + 3600) })];
  for (const buyer of [proven, next]) await buyer.open();
  await proven.pass(1);
  await proven.pay();
  const agreements = new AgreementStore(data.database);
  agreements.move(proven.agreementId, ["serving"], "proving");
  chain.ahead = 3600n - 103n;
  assert.equal((await next.send(1, next.request([0], 1).body)).code, "session/deadline");
  data.database.prepare("UPDATE agreement SET deadline = ? WHERE phase = 'proving'").run(now - 1);
  assert.equal((await next.send(1, next.request([0], 1).body)).status, 200);
});

test("what ended without a receipt is counted as long as one may come: then it is settled first", async (context) => {
  const { chain, buyer: newBuyer } = await served(context, { serve: { marginSeconds: 100, pollMs: 60_000 } });
  const deadline = BigInt(Math.floor(Date.now() / 1000) + 3600);
  // Its buyer may close it and make it due first.
  const [first, second] = [await newBuyer({ deadline: deadline + 9n }), await newBuyer({ deadline })];
  for (const buyer of [first, second]) await buyer.open();
  await first.pass(1);
  await first.end();
  chain.ahead = deadline - 104n - BigInt(Math.floor(Date.now() / 1000));
  assert.equal((await second.send(1, second.request([0], 1).body)).code, "session/deadline");
  assert.equal((await first.sendReceipt(await first.receipt({ tokens: 2n }))).code, "receipt/wrong-tokens");
  assert.equal((await second.send(1, second.request([0], 1).body)).status, 200);
});
