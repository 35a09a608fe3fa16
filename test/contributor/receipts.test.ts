import assert from "node:assert/strict";
import { after, test } from "node:test";
import { contributorStatements } from "../../runner/contributor/receiptCheck.ts";
import { contributorStatus } from "../../runner/contributor/status.ts";
import { toHex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { addPass, initialState } from "../../runner/protocol/fold.ts";
import { type Receipt, typedData } from "../../runner/protocol/typedData.ts";
import { decodePassAnswer } from "../../runner/wire/passRequest.ts";
import { PATHS } from "../../runner/wire/paths.ts";
import { flip, post, TestBuyer } from "./buyer.ts";
import { DOMAIN } from "./memoryChain.ts";
import { served, smallKey, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const OTHER_HASH = toHex(new Uint8Array(32).fill(7));

test("the statements of both sides agree: a right receipt is taken, stored and shown", async (context) => {
  const { data, buyer: newBuyer, events } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  await buyer.pass(3);
  await buyer.pass(4);
  const receipt = await buyer.receipt();
  const answer = await buyer.sendReceipt(receipt);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json["receipt"], { passes: 2, tokens: 7 });
  const [status] = contributorStatus(data).agreements;
  assert.deepEqual(status!.receipt, { passes: 2, tokens: 7 });
  assert.equal(status!.owed, 70n);
  assert.equal(status!.unpaidTokens, 0);
  assert.equal(events.filter(({ type }) => type === "receipt").length, 1);
  // sent again, word for word, because the answer was lost
  assert.equal((await buyer.sendReceipt(receipt)).status, 200);
  assert.equal(events.filter(({ type }) => type === "receipt").length, 1);
});

test("checking a receipt takes as long as there are groups, not as their square", async () => {
  let looks = 0;
  const groups = 40;
  const modules = Array.from({ length: groups }, (_, group) => ({
    ...{ name: `m${group}`, dIn: 2, r: 1, group, slot: 0 },
    get dOut() {
      looks++;
      return 3;
    },
  }));
  const layout = { keySize: 14, groups, modules };
  const weights = modules.map(() => ({ Aq: new Int8Array(2), Bq: new Int8Array(3), b: new Float64Array(3) }));
  const blinds = modules.map(() => ({ u: [1n, 2n], v: [3n, 4n, 5n] }));
  const state = initialState(layout, new Uint8Array(32));
  looks = 0;
  const statements = await contributorStatements(await smallKey(), { layout, weights, blinds }, state);
  assert.equal(statements.length, groups);
  assert.ok(looks < 10 * groups, `${looks} looks at a module for ${groups} groups`);
});

test("a receipt is taken while the next pass is under way", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  await buyer.pass(3);
  const next = buyer.request([0, 1], 5);
  assert.equal((await buyer.send(2, next.body)).status, 200);
  assert.equal((await buyer.pay()).status, 200);
  assert.equal((await buyer.send(2, buyer.request([2], 5, next.passSalt).body)).status, 200);
});

const WRONG: [what: string, change: Partial<Receipt>, code: string][] = [
  ["inflated tokens", { tokens: 99n }, "receipt/wrong-tokens"],
  ["fewer tokens", { tokens: 1n }, "receipt/wrong-tokens"],
  ["another head", { head: OTHER_HASH }, "receipt/wrong-head"],
  ["other statements", { statementsHash: OTHER_HASH }, "receipt/wrong-statements-hash"],
  ["passes not served", { passes: 9n }, "receipt/wrong-passes"],
  ["no pass", { passes: 0n }, "receipt/wrong-passes"],
  ["another agreement", { agreementId: OTHER_HASH }, "receipt/wrong-agreement-id"],
];

for (const [what, change, code] of WRONG)
  test(`a signed receipt with ${what} is refused and recorded, and ends serving`, async (context) => {
    const { data, buyer: newBuyer, events } = await served(context);
    const buyer = await newBuyer();
    await buyer.open();
    await buyer.pass(3);
    await buyer.pay();
    await buyer.pass(2);
    const right = await buyer.receipt();
    const answer = await buyer.sendReceipt({ ...right, ...change });
    assert.equal(answer.status, 409);
    assert.equal(answer.code, code);
    const [status] = contributorStatus(data).agreements;
    assert.deepEqual(status!.receipt, { passes: 1, tokens: 3 }, "the receipt before stands");
    assert.deepEqual(
      status!.refusedReceipts.map((refused) => refused.code),
      [code],
    );
    assert.equal((await buyer.send(3, buyer.request([0], 1).body)).code, "session/ended");
    assert.equal((await buyer.sendReceipt(right)).code, "session/ended");
    assert.equal((await buyer.get(PATHS.session)).json["phase"], "ended");
    assert.ok(events.some((event) => event.type === "receipt-refused" && event.code === code));
  });

test("a receipt signed by anybody but the agreement's signer is refused", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  await buyer.pass(3);
  const stranger = new TestBuyer(buyer.setting, buyer.agreementId).signer;
  const forged = await buyer.sendReceipt(await buyer.receipt(), stranger);
  assert.equal(forged.code, "signature/wrong-signer");
  assert.equal((await buyer.send(2, buyer.request([0], 1).body)).code, "session/ended");
});

test("a receipt of another chain, escrow or agreement is refused by its signature", async (context) => {
  const { buyer: newBuyer } = await served(context);
  for (const domain of [
    { ...DOMAIN, chainId: 1n },
    { ...DOMAIN, escrow: "0x00000000000000000000000000000000000000ff" as const },
  ]) {
    const buyer = await newBuyer();
    await buyer.open();
    await buyer.pass(1);
    const receipt = await buyer.receipt();
    const signature = await buyer.signer.signTypedData(typedData(domain, "Receipt", receipt));
    const answer = await post(
      buyer.setting.url + PATHS.receipts,
      { receipt, signature },
      buyer.authorization,
    );
    assert.equal(answer.code, "signature/wrong-signer");
  }
});

test("a high-s signature, which the escrow would refuse, is refused", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  await buyer.pass(1);
  const receipt = await buyer.receipt();
  const low = await buyer.signer.signTypedData(typedData(DOMAIN, "Receipt", receipt));
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const s = (order - BigInt(`0x${low.slice(66, 130)}`)).toString(16).padStart(64, "0");
  const signature = `${low.slice(0, 66)}${s}${low.endsWith("1b") ? "1c" : "1b"}`;
  const answer = await post(buyer.setting.url + PATHS.receipts, { receipt, signature }, buyer.authorization);
  assert.equal(answer.code, "signature/malformed");
});

test("another head for passes already receipted is a contradiction: recorded, and the end", async (context) => {
  const { data, buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  await buyer.pass(2);
  await buyer.pay();
  const answer = await buyer.sendReceipt(await buyer.receipt({ head: OTHER_HASH }));
  assert.equal(answer.code, "receipt/wrong-head");
  const later = await newBuyer();
  await later.open();
  await later.pass(2);
  const first = await later.receipt();
  await later.sendReceipt(first);
  await later.pass(2);
  await later.pay();
  const second = await later.sendReceipt({ ...first, head: OTHER_HASH });
  assert.equal(second.code, "receipt/wrong-passes");
  assert.equal((await later.send(3, later.request([0], 1).body)).code, "session/ended");
  for (const status of contributorStatus(data).agreements) assert.equal(status.refusedReceipts.length, 1);
});

test("an old receipt that was right is late: not taken, nothing ends", async (context) => {
  const { data, buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  await buyer.pass(2);
  const first = await buyer.receipt();
  await buyer.pass(2);
  assert.equal((await buyer.sendReceipt(first)).code, "receipt/outdated");
  assert.equal((await buyer.pay()).status, 200);
  assert.equal((await buyer.sendReceipt(first)).code, "receipt/outdated");
  await buyer.pass(2);
  const [status] = contributorStatus(data).agreements;
  assert.deepEqual([status!.phase, status!.receipt], ["serving", { passes: 2, tokens: 4 }]);
});

test("a malformed receipt is refused by field, and ends nothing", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  await buyer.pass(1);
  const receipt = await buyer.receipt();
  const signature = await buyer.signer.signTypedData(typedData(DOMAIN, "Receipt", receipt));
  const url = buyer.setting.url + PATHS.receipts;
  for (const [body, field] of [
    [{ receipt, signature: "0x12" }, "receipt.signature"],
    [{ receipt: { ...receipt, tokens: -1 }, signature }, "receipt.receipt.tokens"],
    [{ receipt: { ...receipt, passes: 2n ** 64n }, signature }, "receipt.receipt.passes"],
    [{ receipt: { ...receipt, extra: 1 }, signature }, "receipt.receipt"],
    [[], "receipt"],
  ] as const) {
    const answer = await post(url, body, buyer.authorization);
    assert.equal(answer.status, 400);
    assert.equal((answer.json["error"] as { field: string }).field, field);
  }
  assert.equal((await buyer.pay()).status, 200);
});

test("after the end a receipt for what was served is still taken, passes are not", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  await buyer.pass(2);
  for (let i = 0; i < 2; i++) {
    const ended = await buyer.end();
    assert.deepEqual([ended.status, ended.json["phase"]], [200, "ended"]);
  }
  assert.equal((await buyer.send(2, buyer.request([0], 1).body)).code, "session/ended");
  assert.equal((await buyer.pay()).status, 200);
});

test("a wrong receipt is recorded and ends serving in one step", async (context) => {
  const { data, buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  await buyer.pass(2);
  data.database.exec(
    "CREATE TRIGGER cut BEFORE UPDATE OF phase ON agreement BEGIN SELECT RAISE(ABORT, 'the power is cut'); END",
  );
  const wrong = await buyer.receipt({ tokens: 9n });
  assert.equal((await buyer.sendReceipt(wrong)).status, 500);
  const [cut] = contributorStatus(data).agreements;
  assert.deepEqual([cut!.phase, cut!.receiptsStopped, cut!.refusedReceipts], ["serving", false, []]);
  data.database.exec("DROP TRIGGER cut");
  assert.equal((await buyer.sendReceipt(wrong)).code, "receipt/wrong-tokens");
  const [ended] = contributorStatus(data).agreements;
  assert.deepEqual([ended!.phase, ended!.receiptsStopped, ended!.refusedReceipts.length], ["ended", true, 1]);
});

test("an answer that was wrong is found when its receipt comes: what came before is settled", async (context) => {
  const contributor = await served(context);
  const { data, chain } = contributor;
  const buyer = await contributor.buyer();
  await buyer.open();
  await buyer.pass(3);
  await buyer.pay();
  const one = buyer.request([0, 1], 2);
  await buyer.send(2, one.body);
  await contributor.service.close();
  // a bit turns on disk; what is stored is what is sent, so that both parties fold the same
  const row = data.database.prepare("SELECT y FROM answer WHERE module = 1").get()!;
  data.database.prepare("UPDATE answer SET y = ? WHERE module = 1").run(flip(row["y"] as Uint8Array, 0));
  const again = await served(context, { by: contributor, serve: { settle: true } });
  const { agreementId, signer, state } = buyer;
  const returned = Object.assign(await again.buyer(), { agreementId, signer, state });
  await returned.open();
  const { layout } = buyer.setting;
  const two = buyer.request([2], 2, one.passSalt);
  const Y = [];
  for (const request of [one, two])
    Y.push(...decodePassAnswer(layout, request, (await returned.send(2, request.body)).bytes));
  returned.state = addPass(layout, state, { passSalt: one.passSalt, tokens: 2, X: [one.X, one.X, two.X], Y });

  const answer = await returned.pay();
  assert.deepEqual([answer.status, answer.code], [409, "session/wrong-answer"]);
  assert.ok(again.events.some((event) => event.type === "failed" && event.agreementId === agreementId));
  assert.equal((await returned.pay()).code, "session/ended");
  const status = () => contributorStatus(data).agreements[0]!;
  assert.deepEqual(status().refusedReceipts, [], "the buyer did nothing wrong");
  await until(() => status().phase === "settled", "the settlement of the receipt before");
  assert.equal(chain.agreements.get(agreementId)!.paid, 30n);
});
