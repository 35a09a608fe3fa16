import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { readManifest } from "../../runner/contributor/adapters.ts";
import { Authentication } from "../../runner/contributor/authentication.ts";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import { type Hex, takeFrom, toHex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { decodeScales, scalesHash } from "../../runner/protocol/manifest.ts";
import { PATHS } from "../../runner/wire/paths.ts";
import { ask, post } from "./buyer.ts";
import { served } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const random = (): Hex => toHex(randomBytes(32));

/** Authentication with a clock in our hands. */
function clocked(options = {}) {
  const clock = { now: 1_000_000 };
  return { clock, authentication: new Authentication({ now: () => clock.now, ...options }) };
}

function proofOf(authentication: Authentication, agreementId = random()) {
  const clientNonce = random();
  return { agreementId, clientNonce, serverNonce: authentication.challenge(agreementId, clientNonce) };
}

test("a nonce opens one session, of its agreement and client nonce, for a minute", () => {
  const { clock, authentication } = clocked();
  const proof = proofOf(authentication);
  for (const field of ["agreementId", "clientNonce", "serverNonce"] as const)
    assert.throws(() => authentication.open({ ...proof, [field]: random() }), {
      code: "session/unknown-nonce",
    });
  const { token } = authentication.open(proof);
  assert.equal(authentication.authenticate(token), proof.agreementId);
  assert.throws(() => authentication.open(proof), { code: "session/replayed-nonce" });
  const late = proofOf(authentication);
  clock.now += 61;
  assert.throws(() => authentication.open(late), { code: "session/expired-nonce" });
  assert.throws(() => authentication.open(proof), { code: "session/expired-nonce" });
});

test("a nonce of another process, or before a restart, is unknown", () => {
  const proof = proofOf(new Authentication());
  assert.throws(() => new Authentication().open(proof), { code: "session/unknown-nonce" });
});

test("a token is good for an hour, and only whole", () => {
  const { clock, authentication } = clocked();
  const { token, expiresAt } = authentication.open(proofOf(authentication));
  assert.equal(expiresAt, clock.now + 3600);
  const [id, secret] = token.split(".") as [string, string];
  const swapped = secret.startsWith("A") ? `B${secret.slice(1)}` : `A${secret.slice(1)}`;
  const other = authentication.open(proofOf(authentication)).token.split(".")[0]!;
  // Its last letter holds four bits: the next letter decodes to the same bytes.
  const sameBytes = token.slice(0, -1) + String.fromCharCode(token.charCodeAt(token.length - 1) + 1);
  assert.deepEqual(Buffer.from(sameBytes, "base64url"), Buffer.from(token, "base64url"));
  const wrongs = [undefined, "", id, `${id}.`, `${id}.${swapped}`, `${other}.${secret}`, `${token}A`];
  for (const wrong of [...wrongs, sameBytes])
    assert.throws(() => authentication.authenticate(wrong), { code: "session/unauthorised" });
  clock.now += 3600;
  authentication.authenticate(token);
  clock.now += 1;
  assert.throws(() => authentication.authenticate(token), { code: "session/unauthorised" });
});

test("an agreement has few tokens: the oldest ends first, others' stay", () => {
  const { authentication } = clocked({ tokensPerAgreement: 2 });
  const agreementId = random();
  const stranger = authentication.open(proofOf(authentication)).token;
  const tokens = [1, 2, 3].map(() => authentication.open(proofOf(authentication, agreementId)).token);
  assert.throws(() => authentication.authenticate(tokens[0]), { code: "session/unauthorised" });
  for (const token of [tokens[1], tokens[2]]) assert.equal(authentication.authenticate(token), agreementId);
  authentication.authenticate(stranger);
});

test("a session opens for the agreement's signer, once per challenge", async (context) => {
  const { buyer: newBuyer, events } = await served(context);
  const buyer = await newBuyer();
  const proof = await buyer.challenge();
  const stranger = privateKeyToAccount(generatePrivateKey());
  const forged = await buyer.sign(proof, stranger);
  assert.deepEqual([forged.status, forged.code], [401, "signature/wrong-signer"]);
  const opened = await buyer.sign(proof);
  assert.equal(opened.status, 201);
  assert.deepEqual(opened.json["session"], {
    agreementId: buyer.agreementId,
    passes: 0,
    tokens: 0,
    head: toHex(buyer.state.head),
    receipt: { passes: 0, tokens: 0 },
    openPass: null,
    phase: "serving",
    settlement: null,
  });
  const replayed = await buyer.sign(proof);
  assert.deepEqual([replayed.status, replayed.code], [401, "session/replayed-nonce"]);
  const elsewhere = await (await newBuyer()).sign(proof, buyer.signer);
  assert.equal(elsewhere.code, "session/replayed-nonce");
  assert.equal(events.filter(({ type }) => type === "session-opened").length, 1);
});

test("two uses of one challenge at once open one session", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  const proof = await buyer.challenge();
  const answers = await Promise.all([buyer.sign(proof), buyer.sign(proof), buyer.sign(proof)]);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 401, 401]);
});

test("an agreement must be final, open, for an adapter and an offer of ours", async (context) => {
  const { chain, data, buyer: newBuyer } = await served(context);
  const open = async (change: Parameters<typeof newBuyer>[0], prepare = (_id: Hex): void => {}) => {
    const buyer = await newBuyer(change);
    prepare(buyer.agreementId);
    const { status, code } = await buyer.open();
    assert.equal(new AgreementStore(data.database).find(buyer.agreementId), undefined);
    return [status, code];
  };
  const unknown = (id: Hex): void => void chain.agreements.delete(id);
  assert.deepEqual(await open({}, unknown), [404, "session/unknown-agreement"]);
  assert.deepEqual(await open({}, (id) => chain.notFinal.add(id)), [404, "session/unknown-agreement"]);
  for (const status of ["closing", "refunded", "released"] as const)
    assert.deepEqual(await open({ status }), [403, "session/not-open"]);
  assert.deepEqual(await open({ adapterId: random() }), [403, "session/not-our-offer"]);
  assert.deepEqual(await open({ offerHash: random() }), [403, "session/not-our-offer"]);
});

test("a session of an agreement that has closed since can be opened again, to look", async (context) => {
  const { chain, buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  chain.agreements.get(buyer.agreementId)!.status = "closing";
  assert.equal((await buyer.open()).status, 201);
  assert.equal((await buyer.get(PATHS.session)).status, 200);
});

test("without a token nothing of a session is served", async (context) => {
  const { service, buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  const paths: [method: "GET" | "POST", path: string][] = [
    ["GET", PATHS.session],
    ["GET", PATHS.scales],
    ["GET", PATHS.bundle],
    ["POST", "/v1/session/passes/1"],
    ["POST", PATHS.receipts],
    ["POST", PATHS.end],
  ];
  for (const [method, path] of paths)
    for (const authorization of [undefined, "Bearer", `Basic ${buyer.token}`, `Bearer ${buyer.token}x`]) {
      const headers = { "content-type": "application/octet-stream", ...(authorization && { authorization }) };
      const answer = await ask(service.url + path, {
        method,
        headers,
        ...(method === "POST" && { body: "{}" }),
      });
      assert.deepEqual([answer.status, answer.code], [401, "session/unauthorised"], `${method} ${path}`);
    }
  assert.equal((await buyer.get(PATHS.session)).json["phase"], "serving");
});

test("scales come to who holds the signer, and are those of the manifest", async (context) => {
  const { data, adapterId, buyer: newBuyer } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  const { status, bytes } = await buyer.get(PATHS.scales);
  assert.equal(status, 200);
  const take = takeFrom(bytes);
  const salt = take(32);
  for (const [m, { shape, scalesHash: committed }] of readManifest(data, adapterId).modules.entries()) {
    const b = decodeScales(take(8 * shape[1]), shape[1], "b");
    assert.equal(toHex(scalesHash(salt, m, b)), committed);
  }
  assert.equal(bytes.length, 32 + 8 * (5 + 4 + 3));
});

test("a token reaches its own agreement only", async (context) => {
  const { buyer: newBuyer } = await served(context);
  const [one, two] = [await newBuyer(), await newBuyer()];
  await one.open();
  await two.open();
  await one.pass(2);
  assert.equal((await two.get(PATHS.session)).json["passes"], 0);
  const receipt = await one.receipt();
  assert.equal((await two.sendReceipt(receipt, one.signer)).code, "receipt/wrong-agreement-id");
  assert.equal((await one.get(PATHS.session)).json["phase"], "serving");
});

test("a malformed challenge or session request is refused by field", async (context) => {
  const { service } = await served(context);
  const challenge = service.url + PATHS.challenge;
  assert.equal((await post(challenge, { agreementId: random() })).code, "wire/malformed");
  assert.equal(
    (await post(challenge, { agreementId: "0x12", clientNonce: random() })).code,
    "wire/malformed",
  );
  assert.equal((await post(service.url + PATHS.sessions, { agreementId: random() })).code, "wire/malformed");
});
