import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import * as path from "node:path";
import { after, test } from "node:test";
import { loadServedAdapter } from "../../runner/contributor/adapters.ts";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import { toHex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { answer } from "../../runner/protocol/quantise.ts";
import { decodePassAnswer, encodePassRequest } from "../../runner/wire/passRequest.ts";
import { PATHS } from "../../runner/wire/paths.ts";
import { type Answer, flip, type TestBuyer } from "./buyer.ts";
import { randomAdapter, registered, SHAPES, served, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

function refused(answer: Answer, code: string, status = 409): void {
  assert.equal(answer.code, code);
  assert.equal(answer.status, status);
}

/** What the buyer sees of its session. */
async function view(buyer: TestBuyer): Promise<Record<string, unknown>> {
  return (await buyer.get(PATHS.session)).json;
}

test("every module is answered with B*A*x, exactly, and the heads of both parties agree", async (context) => {
  const { data, adapterId, buyer: newBuyer, events } = await served(context);
  const { weights, layout } = loadServedAdapter(data, adapterId);
  const buyer = await newBuyer();
  await buyer.open();
  const request = buyer.request([0, 1], 3);
  const [first, second] = decodePassAnswer(layout, request, (await buyer.send(1, request.body)).bytes);
  for (const [m, Y] of [first!, second!].entries()) {
    const { dIn, dOut, r } = layout.modules[m]!;
    assert.deepEqual(Y, answer(weights[m]!.Aq, weights[m]!.Bq, request.X, 3, dIn, dOut, r));
  }
  assert.deepEqual((await view(buyer))["openPass"], { pass: 1, tokens: 3, modules: [0, 1] });
  const other = await newBuyer();
  await other.open();
  await other.pass(4);
  await other.pass(2);
  const seen = await view(other);
  assert.equal(seen["head"], toHex(other.state.head));
  assert.deepEqual([seen["passes"], seen["tokens"], seen["openPass"]], [2, 6, null]);
  assert.deepEqual(
    events.filter(({ type }) => type === "pass").map((event) => "totalTokens" in event && event.totalTokens),
    [4, 6],
  );
});

test("a repeat gets the same bytes: in the pass, after it, and after a restart", async (context) => {
  const contributor = await served(context);
  const buyer = await contributor.buyer();
  await buyer.open();
  const one = buyer.request([0, 1], 3);
  const two = buyer.request([2], 3, one.passSalt);
  const first = await buyer.send(1, one.body);
  assert.deepEqual((await buyer.send(1, one.body)).bytes, first.bytes);
  const [half] = decodePassAnswer(buyer.setting.layout, one, first.bytes);
  const alone = await buyer.send(1, encodePassRequest({ ...one, modules: [0] }));
  assert.deepEqual(alone.bytes, first.bytes.subarray(0, 8 * half!.length));
  const last = await buyer.send(1, two.body);
  assert.deepEqual((await buyer.send(1, two.body)).bytes, last.bytes);
  assert.equal((await view(buyer))["passes"], 1);

  await contributor.service.close();
  const again = await served(context, { by: contributor });
  const returned = Object.assign(await again.buyer(), {
    agreementId: buyer.agreementId,
    signer: buyer.signer,
  });
  await returned.open();
  assert.deepEqual((await returned.send(1, one.body)).bytes, first.bytes);
  assert.deepEqual((await returned.send(1, two.body)).bytes, last.bytes);
});

test("a pass cut short by a restart goes on where it was", async (context) => {
  const contributor = await served(context);
  const buyer = await contributor.buyer();
  await buyer.open();
  const one = buyer.request([0, 1], 3);
  await buyer.send(1, one.body);
  await contributor.service.close();
  const again = await served(context, { by: contributor });
  const returned = Object.assign(await again.buyer(), {
    agreementId: buyer.agreementId,
    signer: buyer.signer,
  });
  assert.deepEqual((await returned.open()).json["session"], {
    ...(await view(returned)),
    openPass: { pass: 1, tokens: 3, modules: [0, 1] },
  });
  assert.equal((await returned.send(1, returned.request([2], 3, one.passSalt).body)).status, 200);
  assert.equal((await view(returned))["passes"], 1);
});

test("a repeat with other activations, another salt or another T is refused, and changes nothing", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  const one = buyer.request([0, 1], 3);
  const { bytes } = await buyer.send(1, one.body);
  const X = Int16Array.from(one.X);
  X[5]! ^= 1;
  refused(await buyer.send(1, encodePassRequest({ ...one, X })), "session/changed-repeat");
  const passSalt = flip(one.passSalt, 0);
  refused(await buyer.send(1, encodePassRequest({ ...one, passSalt })), "session/changed-repeat");
  refused(await buyer.send(1, buyer.request([2], 3).body), "session/changed-repeat");
  refused(await buyer.send(1, buyer.request([2], 4, one.passSalt).body), "session/changed-tokens");
  assert.deepEqual((await buyer.send(1, one.body)).bytes, bytes);
  assert.equal((await buyer.send(1, buyer.request([2], 3, one.passSalt).body)).status, 200);
  refused(await buyer.send(1, encodePassRequest({ ...one, X })), "session/changed-repeat");
});

test("a pass is finished before the next, numbered without gaps, and cannot be dropped", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  for (const pass of [2, 7])
    refused(await buyer.send(pass, buyer.request([0], 1).body), "session/wrong-pass");
  await buyer.send(1, buyer.request([0], 1).body);
  refused(await buyer.send(2, buyer.request([0], 1).body), "session/wrong-pass");
  const other = await newBuyer();
  await other.open();
  await other.pass(1);
  await other.pass(1);
  refused(await other.send(1, other.request([0], 1).body), "session/wrong-pass");
  for (const pass of ["0", "-1", "1.5", "x", "99999999999999999999"])
    refused(await other.send(pass, other.request([0], 1).body), "wire/malformed", 400);
});

test("a salt serves one pass of an agreement", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  const salt = randomBytes(32);
  await buyer.send(1, buyer.request([0, 1], 1, salt).body);
  await buyer.send(1, buyer.request([2], 1, salt).body);
  refused(await buyer.send(2, buyer.request([0, 1], 1, salt).body), "session/salt-reused");
  assert.equal((await buyer.send(2, buyer.request([0, 1], 1).body)).status, 200);
});

test("no more than maxUnpaidTokens are served without a receipt, also across a restart", async (context) => {
  const contributor = await served(context);
  const buyer = await contributor.buyer();
  await buyer.open();
  refused(await buyer.send(1, buyer.request([0], 9).body), "session/unpaid-limit");
  await buyer.pass(5);
  refused(await buyer.send(2, buyer.request([0], 4).body), "session/unpaid-limit");
  await contributor.service.close();
  const again = await served(context, { by: contributor });
  const returned = Object.assign(await again.buyer(), {
    agreementId: buyer.agreementId,
    signer: buyer.signer,
    state: buyer.state,
  });
  await returned.open();
  refused(await returned.send(2, returned.request([0], 4).body), "session/unpaid-limit");
  await returned.pass(3);
  refused(await returned.send(3, returned.request([0], 1).body), "session/unpaid-limit");
  assert.equal((await returned.pay()).status, 200);
  await returned.pass(8);
});

test("no more than tokenCap are served", async (context) => {
  const { buyer: newBuyer } = await served(context, { terms: { tokenCap: 10n } });
  const buyer = await newBuyer();
  await buyer.open();
  await buyer.pass(8);
  await buyer.pay();
  refused(await buyer.send(2, buyer.request([0], 3).body), "session/token-cap");
  await buyer.pass(2);
});

test("no more than the deposit pays for are served", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const buyer = await newBuyer({ amount: 69n });
  await buyer.open();
  refused(await buyer.send(1, buyer.request([0], 7).body), "session/deposit-used-up");
  await buyer.pass(6);
  refused(await buyer.send(2, buyer.request([0], 1).body), "session/deposit-used-up");
});

test("no pass begins once the agreement closes or the deadline is near", async (context) => {
  const { chain, buyer: newBuyer } = await served(context, { serve: { marginSeconds: 100, pollMs: 60_000 } });
  const buyer = await newBuyer();
  await buyer.open();
  await buyer.pass(1);
  const agreement = chain.agreements.get(buyer.agreementId)!;
  agreement.deadline -= 10n;
  refused(await buyer.send(2, buyer.request([0], 1).body), "session/closing");
  agreement.deadline += 10n;
  agreement.status = "closing";
  refused(await buyer.send(2, buyer.request([0], 1).body), "session/closing");
  agreement.status = "open";
  chain.ahead = 3500n;
  refused(await buyer.send(2, buyer.request([0], 1).body), "session/deadline");
  chain.ahead = 0n;
  await buyer.pass(1);
});

test("malformed requests are refused by field, and begin no pass", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  const good = buyer.request([0, 1], 2);
  const cases: [body: Uint8Array, field: string][] = [
    [good.body.subarray(0, 2), "count"],
    [good.body.subarray(0, 20), "header"],
    [encodePassRequest({ ...good, modules: [] }), "count"],
    [encodePassRequest({ ...good, modules: [0, 3] }), "modules[1]"],
    [encodePassRequest({ ...good, modules: [1, 0] }), "modules[1]"],
    [encodePassRequest({ ...good, modules: [0, 0] }), "modules[1]"],
    [encodePassRequest({ ...good, modules: [0, 2] }), "modules[1]"],
    [encodePassRequest({ ...good, tokens: 0, X: new Int16Array(0) }), "tokens"],
    [encodePassRequest({ ...good, tokens: 3 }), "X"],
    [encodePassRequest({ ...good, X: good.X.subarray(1) }), "X"],
    [new Uint8Array([...good.body, 0]), "X"],
    // int16 -32768
    [new Uint8Array([...good.body.subarray(0, -2), 0, 0x80]), "X[11]"],
  ];
  for (const [body, field] of cases) {
    const answer = await buyer.send(1, body);
    assert.equal(answer.status, 400, field);
    assert.equal((answer.json["error"] as { field: string }).field, field);
  }
  assert.equal((await view(buyer))["openPass"], null);
});

test("one request of an agreement at a time; other agreements go on", async (context) => {
  const { chain, buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  const other = await newBuyer();
  await buyer.open();
  await other.open();
  const read = chain.readAgreement.bind(chain);
  let release = (): void => {};
  const blocked = new Promise<void>((resolve) => {
    release = resolve;
  });
  chain.readAgreement = async (agreementId, at) => {
    if (agreementId === buyer.agreementId) await blocked;
    return read(agreementId, at);
  };
  const request = buyer.request([0, 1], 2);
  const first = buyer.send(1, request.body);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const second = await buyer.send(1, request.body);
  refused(second, "session/busy");
  assert.equal(second.headers.get("retry-after"), "1");
  refused(await buyer.end(), "session/busy");
  await other.pass(1);
  release();
  const answered = await first;
  assert.equal(answered.status, 200);
  assert.deepEqual((await buyer.send(1, request.body)).bytes, answered.bytes);
});

test("a client that goes away leaves its agreement free", async (context) => {
  const { chain, buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  const read = chain.readAgreement.bind(chain);
  chain.readAgreement = async (...call) => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return read(...call);
  };
  const request = buyer.request([0, 1], 2);
  const away = fetch(`${buyer.setting.url}/v1/session/passes/1`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream", ...buyer.authorization },
    body: Buffer.from(request.body),
    signal: AbortSignal.timeout(50),
  });
  await assert.rejects(away);
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.equal((await buyer.send(1, request.body)).status, 200);
});

test("a client that goes away before its body has come leaves its agreement free", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  const body = buyer.request([0, 1], 2).body;
  const half = http.request(`${buyer.setting.url}/v1/session/passes/1`, {
    method: "POST",
    headers: {
      ...buyer.authorization,
      "content-type": "application/octet-stream",
      "content-length": body.length,
    },
  });
  half.on("error", () => {});
  half.write(body.subarray(0, 20));
  await until(
    async () => (await buyer.send(1, body)).code === "session/busy",
    "the hold of the first request",
  );
  half.destroy();
  await until(async () => (await buyer.send(1, body)).status === 200, "the end of the hold");
});

test("an answer is on disk before it is sent", async (context) => {
  const { data, buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  const request = buyer.request([0, 1], 2);
  const { bytes } = await buyer.send(1, request.body);
  // what a process that starts after a crash would find
  const crashed = await openContributorData(data.directory);
  const rows = crashed.database.prepare("SELECT y FROM answer ORDER BY module").all();
  assert.deepEqual(Buffer.concat(rows.map(({ y }) => y as Uint8Array)), Buffer.from(bytes));
  crashed.close();
});

test("a transcript is kept when asked for", async (context) => {
  const { data, buyer: newBuyer } = await served(context, { serve: { keepTranscript: true } });
  const buyer = await newBuyer();
  await buyer.open();
  await buyer.pass(2);
  const directory = data.transcriptDirectory(buyer.agreementId);
  assert.deepEqual(fs.readdirSync(directory), ["pass-00000001.bin"]);
  const bytes = fs.statSync(path.join(directory, "pass-00000001.bin")).size;
  assert.equal(bytes, 32 + 32 + 4 + 2 * 2 * (6 + 6 + 7) + 8 * 2 * (5 + 4 + 3));
});

test("after the end nothing is computed: a last pass asked anew leaves its transcript as it was", async (context) => {
  const oneInput = randomAdapter(SHAPES.map((shape) => ({ ...shape, dIn: 6 })));
  const by = await registered(context, oneInput);
  const first = await served(context, { by, serve: { keepTranscript: true } });
  const buyer = await first.buyer();
  await buyer.open();
  const { body, passSalt } = buyer.request([0, 1, 2], 2);
  assert.equal((await buyer.send(1, body)).status, 200);
  const [pass] = fs.readdirSync(first.data.transcriptDirectory(buyer.agreementId), { withFileTypes: true });
  const transcript = (): Buffer => fs.readFileSync(path.join(pass!.parentPath, pass!.name));
  const kept = transcript();
  new AgreementStore(first.data.database).move(buyer.agreementId, ["serving"], "closed", "it is over");
  await first.service.close();

  const again = await served(context, { by, serve: { keepTranscript: true } });
  const returned = Object.assign(await again.buyer(), {
    agreementId: buyer.agreementId,
    signer: buyer.signer,
  });
  await returned.open();
  refused(await returned.send(1, returned.request([0, 1, 2], 2, passSalt).body), "session/ended");
  assert.deepEqual(transcript(), kept);
});

test("while a long pass is folded another buyer is answered", async (context) => {
  const { service, buyer: newBuyer } = await served(context, {
    terms: { maxUnpaidTokens: 30_000n, tokenCap: 60_000n },
  });
  const { sessions } = service;
  const [long, short] = [await newBuyer({ amount: 10n ** 6n }), await newBuyer()];
  for (const buyer of [long, short]) await buyer.open();
  const salt = randomBytes(32);
  const begun = long.request([0, 1], 30_000, salt);
  assert.equal((await long.send(1, begun.body)).status, 200);

  const order: string[] = [];
  const folded = sessions
    .answerPass(long.agreementId, 1, long.request([2], 30_000, salt).body)
    .then(() => order.push("long"));
  const answered = sessions
    .answerPass(short.agreementId, 1, short.request([0, 1], 1).body)
    .then(() => order.push("short"));
  await Promise.all([folded, answered]);
  assert.deepEqual(order, ["short", "long"]);
  assert.equal(sessions.view(long.agreementId).passes, 1);
});

test("an agreement that ends while its pass is computed is answered no more, and nothing of it is kept", async (context) => {
  const { service, buyer: newBuyer } = await served(context);
  const { sessions } = service;
  const buyer = await newBuyer();
  await buyer.open();
  const salt = randomBytes(32);
  await buyer.send(1, buyer.request([0, 1], 2, salt).body);
  const computed = sessions.answerPass(buyer.agreementId, 1, buyer.request([2], 2, salt).body);
  sessions.endServing(buyer.agreementId, "the deadline is near");
  await assert.rejects(computed, { code: "session/ended" });
  const { passes, openPass } = sessions.view(buyer.agreementId);
  assert.deepEqual([passes, openPass?.modules], [0, [0, 1]]);
});
