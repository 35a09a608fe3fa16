import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { BuyerStore } from "../../runner/buyer/store/store.ts";
import { BUYER_MIGRATIONS } from "../../runner/buyer/store/storedRows.ts";
import { fromHex, toHex } from "../../runner/protocol/bytes.ts";
import { decodeAnswers, encodeAnswers } from "../../runner/protocol/encoding.ts";
import { addPass, initialState } from "../../runner/protocol/fold.ts";
import { answerBound } from "../../runner/protocol/layout.ts";
import { decodeOpening } from "../../runner/protocol/openingFile.ts";
import { answer } from "../../runner/protocol/quantise.ts";
import { statementBlind } from "../../runner/protocol/transcript.ts";
import { copyDatabase, openDatabase } from "../../runner/storage/database.ts";
import { terminateCurveAfterwards } from "../protocol/scenario.ts";
import { activations, openAndServe, runPass, sharedAdapter } from "./agreement.ts";
import { failsWith } from "./serve.ts";

terminateCurveAfterwards();

const passPath = (number: number): string => `/v1/session/passes/${number}`;

test("a session of several passes ends with a receipt that the contributor computes too", async (t) => {
  const { contributor, start, disk, id } = await openAndServe(t);
  const { adapter } = await sharedAdapter();
  const remote = await start();
  await remote.connect();
  const [qk, v] = activations(3, 1);
  await remote.beginPass(3);
  const [q, k] = await remote.answer([0, 1], qk);
  const { Aq, Bq, dIn, dOut, r, b } = adapter.input.modules[0]!;
  assert.deepEqual(q, answer(Aq, Bq, qk, 3, dIn, dOut, r));
  assert.equal(k!.length, 3 * 4);
  assert.deepEqual(remote.scales(0), b);
  await remote.answer([2], v);
  await remote.finishPass();
  await runPass(remote, 2, 2);
  assert.equal(contributor.receipts.length, 0);
  assert.deepEqual(remote.progress, { passes: 2, tokens: 5, tokensLeft: 95 });
  const view = await remote.end();
  assert.deepEqual([view.phase, view.receipt], ["ended", { passes: 2, tokens: 5 }]);
  assert.equal(contributor.receipts[0]!.head, toHex(contributor.state.head));
  assert.deepEqual(remote.leakage, { tokensSold: 5, dInHalf: 3, ratio: 5 / 3, rank: 5 });
  assert.equal(disk.store.agreement(id).phase, "ended");
  await assert.rejects(remote.beginPass(1), failsWith("session/ended"));
});

test("receipts are signed when the next pass would exceed maxUnpaidTokens, not before", async (t) => {
  const { contributor, start } = await openAndServe(t, { maxUnpaidTokens: 5n });
  const heard: number[] = [];
  const remote = await start({ onReceipt: ({ tokens }) => heard.push(tokens) });
  for (const [i, tokens] of [2, 3, 1, 5].entries()) await runPass(remote, tokens, i);
  assert.deepEqual(heard, [5, 6]);
  assert.deepEqual(
    contributor.receipts.map(({ passes, tokens }) => [passes, tokens]),
    [
      [2n, 5n],
      [3n, 6n],
    ],
  );
});

test("what cannot be paid is refused here, with the tokens left", async (t) => {
  const { contributor, start } = await openAndServe(t, { tokenCap: 12n, maxUnpaidTokens: 8n }, 75n);
  const remote = await start();
  await runPass(remote, 6, 1);
  await assert.rejects(remote.beginPass(9), failsWith("budget/pass-too-long", "offer.maxUnpaidTokens"));
  await assert.rejects(remote.beginPass(2), (error: Error) => {
    assert.match(error.message, /1 are left/);
    return failsWith("budget/amount", "amount")(error);
  });
  await assert.rejects(remote.beginPass(7), failsWith("budget/token-cap", "offer.tokenCap"));
  await assert.rejects(remote.beginPass(0), failsWith("budget/bad-pass"));
  assert.equal(contributor.state.passes, 1);
  assert.ok(!contributor.requests.some(({ path }) => path === passPath(2)));
});

test("activations and salt are on disk before they are sent", async (t) => {
  const { contributor, start, disk, id } = await openAndServe(t);
  const remote = await start();
  const [qk] = activations(2, 1);
  let stored: unknown;
  contributor.tamper = (at, sent) => {
    if (at === passPath(1)) stored = disk.store.pendingPass(id, [6, 6, 7]);
    return sent;
  };
  await remote.beginPass(2);
  assert.equal(remote.pendingPass(), undefined);
  await remote.answer([0, 1], qk);
  const { salt, inputs } = stored as { salt: Uint8Array; inputs: Map<number, Int16Array> };
  assert.deepEqual(
    [...inputs],
    [
      [0, qk],
      [1, qk],
    ],
  );
  const body = contributor.requests.find(({ path }) => path === passPath(1))!.body;
  assert.deepEqual(body.slice(12, 44), salt);
});

test("after a crash within a pass the same bytes are resent and get the same answers", async (t) => {
  const { contributor, start } = await openAndServe(t);
  const [qk, v] = activations(2, 1);
  const first = await start();
  await first.beginPass(2);
  await first.answer([0, 1], qk);
  contributor.tamper = (at, sent) => (at === passPath(1) ? { hangUp: true } : sent);
  await assert.rejects(first.answer([2], v), failsWith("http/interrupted"));
  contributor.tamper = (_, sent) => sent;
  assert.equal(contributor.state.passes, 1);

  const second = await start();
  assert.deepEqual(second.pendingPass(), { number: 1, tokens: 2, modules: [0, 1, 2] });
  await second.connect();
  await assert.rejects(second.beginPass(3), failsWith("session/pass-pending", "tokens"));
  await second.beginPass(2);
  const other = qk.slice();
  other[0]!++;
  await assert.rejects(second.answer([0, 1], other), failsWith("session/other-activations", "layer.0"));
  await second.answer([0, 1], qk);
  await second.answer([2], v);
  await second.finishPass();
  const bodies = contributor.requests
    .filter(({ path }) => path === passPath(1))
    .map(({ body }) => toHex(body));
  assert.equal(new Set(bodies).size, 2);
  assert.deepEqual((await second.end()).receipt, { passes: 1, tokens: 2 });
});

test("an interrupted pass can be finished without its run; its tokens are paid", async (t) => {
  const { contributor, start } = await openAndServe(t);
  const first = await start();
  await first.beginPass(2);
  await first.answer([0], activations(2, 1)[0]);
  const second = await start();
  await assert.rejects(second.end(), failsWith("session/pass-pending"));
  assert.equal(await second.finishInterrupted(), 2);
  assert.equal(await second.finishInterrupted(), 0);
  await runPass(second, 1, 3);
  assert.deepEqual((await second.end()).receipt, { passes: 2, tokens: 3 });
  assert.equal(contributor.state.tokens, 3);
});

test("an interrupted pass of zeros is not paid for when it is finished", async (t) => {
  const { contributor, start } = await openAndServe(t);
  contributor.tamper = (at, sent) =>
    at === passPath(1) ? { ...sent, body: new Uint8Array((sent.body as Uint8Array).length) } : sent;
  const remote = await start();
  await remote.beginPass(2);
  await remote.answer([0, 1], activations(2, 1)[0]);
  for (let tries = 0; tries < 2; tries++)
    await assert.rejects(remote.finishInterrupted(), failsWith("session/zero-answers", "layer.0"));
  assert.deepEqual([remote.progress.passes, remote.pendingPass()?.number], [0, 1]);
  await remote.end({ abandonPass: true });
  assert.equal(contributor.receipts.length, 0);
});

test("a pass that the contributor never saw is forgotten", async (t) => {
  const { contributor, start } = await openAndServe(t);
  const first = await start();
  await first.beginPass(2);
  const { state } = contributor;
  contributor.expireTokens();
  contributor.tamper = (at, sent) => (at === "/v1/sessions/challenge" ? { hangUp: true } : sent);
  await assert.rejects(first.answer([0], activations(2, 1)[0]), failsWith("http/interrupted"));
  contributor.tamper = (_, sent) => sent;
  assert.equal(contributor.state, state);
  const second = await start();
  assert.equal(second.pendingPass()?.number, 1);
  await second.connect();
  assert.equal(second.pendingPass(), undefined);
  await runPass(second, 3, 5);
});

test("answers that are too large, fractions of a length, or not integers in range are refused", async (t) => {
  const { contributor, start } = await openAndServe(t);
  const { verified } = await sharedAdapter();
  const bound = answerBound(verified.layout.modules[2]!);
  const remote = await start();
  const [, v] = activations(1, 1);
  await remote.beginPass(1);
  const change = (make: (body: Uint8Array) => Uint8Array): void => {
    contributor.tamper = (at, sent) => (at === passPath(1) ? { body: make(sent.body as Uint8Array) } : sent);
  };
  change((body) => body.slice(1));
  await assert.rejects(remote.answer([2], v), failsWith("wire/bad-answer", "Y"));
  change((body) => Uint8Array.from([...body, 0]));
  await assert.rejects(remote.answer([2], v), failsWith("http/too-large"));
  change(() => encodeAnswers(Float64Array.of(0, bound + 1, 0)));
  await assert.rejects(remote.answer([2], v), failsWith("encoding/out-of-range", "layer.2: Y[1]"));
  change(() => encodeAnswers(Float64Array.of(0, 0, -bound - 1)));
  await assert.rejects(remote.answer([2], v), failsWith("encoding/out-of-range", "layer.2: Y[2]"));
  change(() => new Uint8Array(24).fill(0x80));
  await assert.rejects(remote.answer([2], v), failsWith("encoding/out-of-range", "layer.2: Y[0]"));
  change((body) => body);
  assert.deepEqual((await remote.answer([2], v))[0]!.length, 3);
  assert.ok(decodeAnswers(encodeAnswers(Float64Array.of(bound)), 1, bound));
});

test("scales that were not registered are refused before the first pass", async (t) => {
  const { contributor, start } = await openAndServe(t);
  const change = (make: (body: Uint8Array) => Uint8Array): void => {
    contributor.tamper = (at, sent) =>
      at === "/v1/session/scales" ? { body: make((sent.body as Uint8Array).slice()) } : sent;
  };
  const flip = (index: number) => (body: Uint8Array) => {
    body[index]! ^= 1;
    return body;
  };
  const cases: [string, string | undefined, (body: Uint8Array) => Uint8Array][] = [
    ["scales/hash", "layer.0.b", flip(0)],
    ["scales/hash", "layer.1.b", flip(32 + 8 * 5)],
    ["scales/out-of-range", "layer.0.b[0]", (body) => body.fill(0xff, 32, 40)],
    ["scales/bad-length", undefined, (body) => body.slice(8)],
  ];
  for (const [code, field, make] of cases) {
    change(make);
    const remote = await start();
    for (const _try of [1, 2]) await assert.rejects(remote.beginPass(1), failsWith(code, field));
    assert.throws(() => remote.scales(0), failsWith("session/not-connected"));
  }
  assert.ok(!contributor.requests.some(({ path }) => path === passPath(1)));
});

test("a receipt is stored before it is sent, and the very same is sent again", async (t) => {
  const { contributor, start, disk, id } = await openAndServe(t);
  const first = await start();
  await runPass(first, 2, 1);
  contributor.tamper = (at, sent) => (at === "/v1/session/receipts" ? { hangUp: true } : sent);
  await assert.rejects(first.signReceipt(), failsWith("http/interrupted"));
  const stored = disk.store.lastReceipt(id)!;
  assert.equal(stored.accepted, false);
  contributor.receipts.length = 0;
  contributor.tamper = (_, sent) => sent;

  const second = await start();
  await second.connect();
  assert.deepEqual(contributor.receipts, [stored.receipt]);
  assert.equal(disk.store.lastReceipt(id)!.accepted, true);
  const again = await second.signReceipt();
  assert.equal(again.signature, stored.signature);
  assert.equal(disk.store.receipts(id).length, 1);
});

test("two different receipts for the same passes are never signed", async (t) => {
  const { contributor, start, disk, id } = await openAndServe(t);
  const copy = `${disk.directory}-copy`;
  t.after(() => fs.rmSync(copy, { recursive: true, force: true }));
  const remote = await start();
  await runPass(remote, 2, 1);
  const { receipt, signature } = await remote.signReceipt();
  const other = { ...receipt, head: toHex(new Uint8Array(32)) };
  assert.throws(
    () => disk.store.addReceipt(other, signature, new Uint8Array()),
    failsWith("receipt/conflict"),
  );
  const fewer = { ...other, passes: 0n };
  assert.throws(
    () => disk.store.addReceipt(fewer, signature, new Uint8Array()),
    failsWith("receipt/conflict"),
  );
  assert.deepEqual(disk.store.lastReceipt(id)!.receipt, receipt);
  assert.deepEqual(contributor.receipts, [receipt]);
});

test("an older copy of the data folder is noticed", async (t) => {
  const { start, disk } = await openAndServe(t);
  const remote = await start();
  await runPass(remote, 1, 1);
  const old = path.join(disk.directory, "old.db");
  const live = openDatabase(path.join(disk.directory, "buyer.db"), BUYER_MIGRATIONS);
  copyDatabase(live, old);
  live.close();
  await runPass(remote, 1, 2);
  const database = openDatabase(old, BUYER_MIGRATIONS);
  t.after(() => database.close());
  const behind = await start({ store: new BuyerStore(database) });
  await assert.rejects(behind.connect(), failsWith("session/buyer-behind"));
});

test("a contributor that forgot or remembers something else is noticed", async (t) => {
  const { contributor, start, id } = await openAndServe(t);
  const { verified } = await sharedAdapter();
  await runPass(await start(), 1, 1);
  const kept = contributor.state;
  contributor.state = initialState(verified.layout, fromHex(id, 32));
  await assert.rejects((await start()).connect(), failsWith("session/contributor-behind"));
  contributor.state = { ...kept, head: new Uint8Array(32) };
  await assert.rejects((await start()).connect(), failsWith("session/heads-differ"));
  contributor.state = kept;
  await (await start()).connect();
});

test("two processes that use one agreement do not both go on", async (t) => {
  const { start } = await openAndServe(t);
  const [one, two] = [await start(), await start()];
  await one.beginPass(1);
  await two.beginPass(1);
  const [qk] = activations(1, 1);
  await one.answer([0], qk);
  await assert.rejects(two.answer([0], qk), failsWith("session/other-process"));
});

test("an expired token is replaced without anyone noticing", async (t) => {
  const { contributor, start } = await openAndServe(t);
  const remote = await start();
  await runPass(remote, 1, 1);
  contributor.expireTokens();
  await runPass(remote, 1, 2);
  assert.equal(contributor.requests.filter(({ path }) => path === "/v1/sessions").length, 2);
});

test("a service that is started anew while a call is repeated is followed, not for ever", async (t) => {
  const { contributor, start } = await openAndServe(t);
  const remote = await start();
  await runPass(remote, 1, 1);
  let restarts = 0;
  let most = 3;
  contributor.tamper = (path, answer) => {
    if (path === "/v1/sessions" && ++restarts <= most) contributor.expireTokens();
    return answer;
  };
  contributor.expireTokens();
  await runPass(remote, 1, 2);
  assert.equal(restarts, 4);

  most = Number.POSITIVE_INFINITY;
  contributor.expireTokens();
  await assert.rejects(remote.status(), { status: 401 });
  assert.ok(restarts < 10);
});

test("a pass visits every module once, with activations of the right size", async (t) => {
  const { start } = await openAndServe(t);
  const remote = await start();
  const [qk] = activations(2, 1);
  await assert.rejects(remote.answer([0], qk), failsWith("session/no-pass"));
  await remote.beginPass(2);
  for (const [modules, X] of [
    [[], qk],
    [[1, 0], qk],
    [[0, 0], qk],
    [[3], qk],
    [[2], qk],
    [[0, 2], qk],
  ] as const)
    await assert.rejects(remote.answer(modules, X), failsWith("session/bad-pass"));
  await remote.answer([0, 1], qk);
  await assert.rejects(remote.finishPass(), failsWith("session/bad-pass"));
});

test("transcript and opening file hold what an auditor recomputes the receipt from", async (t) => {
  const { contributor, start, disk, id } = await openAndServe(t);
  const { adapter, verified } = await sharedAdapter();
  const transcriptFolder = path.join(disk.directory, "transcripts");
  const remote = await start({ transcriptFolder });
  assert.throws(() => remote.openingFile(), failsWith("receipt/nothing"));
  await runPass(remote, 2, 1);
  await remote.signReceipt();
  const atReceipt = contributor.state;
  await runPass(remote, 1, 2);

  const opening = decodeOpening(remote.openingFile());
  assert.deepEqual(opening, {
    agreementId: id,
    manifestHash: adapter.entry.manifestHash,
    passes: 1n,
    tokens: 2n,
    head: atReceipt.head,
    t: [0, 1].map((g) => statementBlind(atReceipt.lastSalt, atReceipt.head, g)),
    xBar: atReceipt.xBar,
    yBar: atReceipt.yBar,
  });
  const file = remote.openingFile();
  assert.throws(() => decodeOpening(file.slice(0, -1)), failsWith("opening/malformed"));
  assert.throws(() => decodeOpening(Uint8Array.from([...file, 0])), failsWith("opening/malformed"));

  const files = fs.readdirSync(path.join(transcriptFolder, id));
  assert.deepEqual(files, ["pass-00000001.bin", "pass-00000002.bin"]);
  const bytes = new Uint8Array(fs.readFileSync(path.join(transcriptFolder, id, files[0]!)));
  const [qk, v] = activations(2, 1);
  let at = 32 + 32 + 4;
  const Y = verified.layout.modules.map((module) => {
    at += 2 * 2 * module.dIn;
    const part = bytes.slice(at, at + 8 * 2 * module.dOut);
    at += part.length;
    return decodeAnswers(part, 2 * module.dOut, answerBound(module));
  });
  assert.equal(at, bytes.length);
  const pass = { passSalt: bytes.slice(32, 64), tokens: 2, X: [qk, qk, v], Y };
  assert.deepEqual(addPass(verified.layout, initialState(verified.layout, fromHex(id, 32)), pass), atReceipt);
});

test("the deadline is judged by the chain's time, counted on while connected", async (t) => {
  const { disk, id, start } = await openAndServe(t);
  const { deadline } = disk.store.agreement(id).terms;
  const late = await start({ time: async () => deadline + 1n });
  await assert.rejects(late.beginPass(2), failsWith("session/deadline"));
  const soon = await start({ time: async () => deadline });
  await runPass(soon, 2, 1);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await assert.rejects(soon.beginPass(2), failsWith("session/deadline"));
});
