import assert from "node:assert/strict";
import { randomBytes, X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import { connect } from "node:net";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Agent, request } from "undici";
import { loadServedAdapter } from "../../runner/contributor/adapters.ts";
import { queueSeconds, settlementMargin } from "../../runner/contributor/margin.ts";
import { makeOffer } from "../../runner/contributor/offers.ts";
import { RateLimiter } from "../../runner/contributor/rateLimit.ts";
import { serve } from "../../runner/contributor/service.ts";
import { toHex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { sha256 } from "../../runner/protocol/hash.ts";
import { checkSignature } from "../../runner/protocol/typedData.ts";
import { livenessSchema, serviceSchema } from "../../runner/wire/messages.ts";
import { fillPath, LIMITS, PATHS } from "../../runner/wire/paths.ts";
import { ask, post } from "./buyer.ts";
import { DOMAIN } from "./memoryChain.ts";
import { registered, served, TERMS, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const certificate = (name: string): string =>
  fileURLToPath(new URL(`../buyer/certificates/${name}`, import.meta.url));

test("anybody can read what is served, and check who says so", async (context) => {
  const { service, data, adapterId, account, offer } = await served(context);
  const answer = await ask(service.url + PATHS.service);
  const shown = serviceSchema.parse(answer.json);
  const [adapter] = shown.adapters;
  assert.equal(adapter!.adapterId, adapterId);
  assert.deepEqual(adapter!.offers, [{ offer: offer.offer, signature: offer.signature }]);
  assert.equal(adapter!.record.url, service.url);
  assert.equal(BigInt(adapter!.record.tlsCertificate), 0n);
  await checkSignature(DOMAIN, "ServiceRecord", adapter!.record, adapter!.recordSignature, account.address);
  const local = loadServedAdapter(data, adapterId);
  const manifest = await ask(service.url + fillPath(PATHS.manifest, { adapterId }));
  assert.deepEqual(manifest.bytes, new Uint8Array(local.manifestBytes));
  const commitments = await ask(service.url + fillPath(PATHS.commitments, { adapterId }));
  assert.deepEqual(commitments.bytes, new Uint8Array(local.commitments));
  assert.deepEqual((await ask(service.url + PATHS.health)).json, { status: "ok" });
});

test("liveness is a fresh signature over the asker's nonce", async (context) => {
  const { service, adapterId, account } = await served(context);
  const nonce = toHex(randomBytes(32));
  const answer = await post(service.url + fillPath(PATHS.liveness, { adapterId }), { nonce });
  const { liveness, signature } = livenessSchema.parse(answer.json);
  assert.equal(liveness.nonce, nonce);
  assert.ok(Math.abs(Number(liveness.time) - Date.now() / 1000) < 30);
  await checkSignature(DOMAIN, "Liveness", liveness, signature, account.address);
});

test("an offer made while the service runs is shown", async (context) => {
  const { service, data, account, adapterId } = await served(context);
  await makeOffer(data, DOMAIN, account, { adapterId, ...TERMS });
  const shown = async (): Promise<number> =>
    serviceSchema.parse((await ask(service.url + PATHS.service)).json).adapters[0]!.offers.length;
  await until(async () => (await shown()) === 2, "the second offer");
});

test("what is not there, and what is not understood, is a typed error", async (context) => {
  const { service, adapterId } = await served(context);
  const other = toHex(new Uint8Array(32));
  const json = { "content-type": "application/json" };
  const cases: [status: number, code: string, path: string, init?: RequestInit][] = [
    [404, "wire/not-found", "/v2/service"],
    [404, "wire/not-found", PATHS.service, { method: "POST", headers: json, body: "{}" }],
    [404, "adapter/unknown", fillPath(PATHS.manifest, { adapterId: other })],
    [404, "adapter/unknown", fillPath(PATHS.commitments, { adapterId: other })],
    [400, "wire/malformed", fillPath(PATHS.manifest, { adapterId: "../../vault" })],
    [400, "wire/malformed", PATHS.challenge, { method: "POST", headers: json, body: "{" }],
    [400, "wire/malformed", PATHS.challenge, { method: "POST", headers: json, body: "null" }],
    [
      415,
      "wire/media-type",
      PATHS.challenge,
      { method: "POST", headers: { "content-type": "text/plain" }, body: "{}" },
    ],
    [
      413,
      "wire/too-large",
      PATHS.challenge,
      { method: "POST", headers: json, body: " ".repeat(LIMITS.jsonBytes + 1) },
    ],
    [
      400,
      "wire/malformed",
      fillPath(PATHS.liveness, { adapterId }),
      { method: "POST", headers: json, body: "{}" },
    ],
  ];
  for (const [status, code, path, init] of cases) {
    const answer = await ask(service.url + path, init);
    assert.deepEqual([answer.status, answer.code], [status, code], path);
  }
});

/** Announces a body of some size and sends nothing of it. */
function announce(url: string, headers: http.OutgoingHttpHeaders): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: "POST", headers });
    request.on("response", async (response) => {
      let body = "";
      for await (const chunk of response) body += String(chunk);
      resolve({ status: response.statusCode!, body });
      request.destroy();
    });
    request.on("error", reject);
    request.setTimeout(10_000, () => request.destroy(new Error("the service waits for the body")));
    request.flushHeaders();
  });
}

test("activations are refused by their announced size and kind, before a byte is read", async (context) => {
  const { buyer: newBuyer, service } = await served(context);
  const buyer = await newBuyer();
  await buyer.open();
  const url = `${service.url}/v1/session/passes/1`;
  const binary = { ...buyer.authorization, "content-type": "application/octet-stream" };
  const large = await announce(url, { ...binary, "content-length": 2 ** 20 + 1 });
  assert.deepEqual([large.status, large.body.includes("wire/too-large")], [413, true]);
  const endless = await announce(url, { ...binary, "transfer-encoding": "chunked" });
  assert.deepEqual([endless.status, endless.body.includes("wire/length-required")], [411, true]);
  const json = await announce(url, { ...binary, "content-type": "application/json", "content-length": 10 });
  assert.deepEqual([json.status, json.body.includes("wire/media-type")], [415, true]);
  const nobody = await announce(url, { "content-type": binary["content-type"], "content-length": 2 ** 30 });
  assert.deepEqual([nobody.status, nobody.body.includes("session/unauthorised")], [401, true]);
  assert.equal((await buyer.send(1, buyer.request([0], 1).body)).status, 200);
});

test("a chain that cannot be reached is said without its address, and can be tried again", async (context) => {
  const { chain, buyer: newBuyer, service } = await served(context, { serve: { pollMs: 60_000 } });
  const buyer = await newBuyer();
  const read = chain.readAgreement.bind(chain);
  chain.readAgreement = () =>
    Promise.reject(new Error("connect ECONNREFUSED http://user:secret@rpc.internal"));
  const broken = await buyer.open();
  assert.deepEqual([broken.status, broken.code], [500, "internal/error"]);
  assert.ok(!JSON.stringify(broken.json).includes("secret"));
  chain.readAgreement = read;
  assert.equal((await buyer.open()).status, 201);
  assert.equal((await ask(service.url + PATHS.health)).status, 200);
});

test("strangers are slowed down, sessions are not", async (context) => {
  const { service, buyer: newBuyer } = await served(context, {
    serve: { rateLimit: { perSecond: 0.001, burst: 4 } },
  });
  const buyer = await newBuyer();
  await buyer.open();
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push((await ask(service.url + PATHS.service)).status);
  assert.deepEqual(answers, [200, 200, 429, 429]);
  const wrong = { ...buyer.authorization, authorization: "Bearer wrong" };
  const guesses = [];
  for (let i = 0; i < 6; i++)
    guesses.push((await ask(service.url + PATHS.session, { headers: wrong })).status);
  assert.deepEqual(guesses, [401, 401, 401, 401, 429, 429]);
  for (let i = 0; i < 6; i++) assert.equal((await buyer.get(PATHS.session)).status, 200);
});

test("a rate limit refills, by client, in bounded memory", () => {
  const clock = { now: 0 };
  const limiter = new RateLimiter({ perSecond: 2, burst: 3 }, () => clock.now);
  const refused = (client: string): boolean => {
    try {
      limiter.take(client);
      return false;
    } catch {
      return true;
    }
  };
  assert.deepEqual(
    [1, 2, 3, 4].map(() => refused("1.2.3.4")),
    [false, false, false, true],
  );
  assert.equal(refused("1.2.3.5"), false);
  clock.now = 500;
  assert.deepEqual([refused("1.2.3.4"), refused("1.2.3.4")], [false, true]);
  // one IPv6 network is one client
  for (let i = 0; i < 3; i++) refused(`2001:db8:1:2::${i}`);
  assert.equal(refused("2001:db8:1:2:ffff::1"), true);
  assert.equal(refused("2001:db8:1:3::1"), false);
});

test("off loopback the service needs TLS", async (context) => {
  const { data, chain, account } = await registered(context);
  const start = (change: object) => serve({ data, chain, account, ...change });
  await assert.rejects(start({ host: "0.0.0.0" }), { code: "serve/tls-needed" });
  const tls = { certFile: certificate("contributor.crt"), keyFile: certificate("contributor.key") };
  await assert.rejects(start({ host: "0.0.0.0", tls }), { code: "serve/public-url-needed" });
  await assert.rejects(start({ tls: { ...tls, keyFile: certificate("other.key") } }), {
    code: "serve/tls-file",
  });
  await assert.rejects(start({ tls: { ...tls, certFile: "/nowhere" } }), { code: "serve/tls-file" });
});

test("with a certificate the service speaks TLS and its record names the certificate", async (context) => {
  const tls = { certFile: certificate("contributor.crt"), keyFile: certificate("contributor.key") };
  const { service } = await served(context, { serve: { tls } });
  assert.match(service.url, /^https:/);
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  context.after(() => dispatcher.close());
  const { body } = await request(service.url + PATHS.service, { dispatcher });
  const { raw } = new X509Certificate(fs.readFileSync(tls.certFile));
  assert.equal(
    serviceSchema.parse(await body.json()).adapters[0]!.record.tlsCertificate,
    toHex(sha256(new Uint8Array(raw))),
  );
  await assert.rejects(fetch(service.url.replace("https:", "http:")));
});

test("only what this account registered on this chain is served, under a port that is free", async (context) => {
  const { data, chain, account, adapterId, service } = await served(context);
  const port = Number(new URL(service.url).port);
  await assert.rejects(serve({ data, chain, account, port }), { code: "serve/port-in-use" });
  const stranger = { ...account, address: "0x00000000000000000000000000000000000000b0" as const };
  await assert.rejects(serve({ data, chain, account: stranger }), { code: "serve/no-adapter" });
  await assert.rejects(serve({ data, chain, account: stranger, adapters: [adapterId] }), {
    code: "serve/other-account",
  });
  chain.adapters.clear();
  await assert.rejects(serve({ data, chain, account }), { code: "serve/no-adapter" });
  await assert.rejects(serve({ data, chain, account, adapters: [adapterId] }), {
    code: "serve/not-registered",
  });
});

test("the margin before a deadline covers the proofs, and ten minutes off a local chain", () => {
  assert.equal(settlementMargin(true, 24, 60), 9n);
  assert.equal(settlementMargin(false, 24, 60), 660n);
  assert.equal(settlementMargin(false, 4096, 1500), 12_648n);
});

test("what is settled before takes its proofs and a block each", () => {
  assert.equal(queueSeconds(true, { agreements: 0, groups: 0 }), 0n);
  assert.equal(queueSeconds(true, { agreements: 3, groups: 72 }, 500), 39n);
  assert.equal(queueSeconds(false, { agreements: 3, groups: 72 }, 500), 117n);
});

test("a request half sent for ever does not keep the service from stopping", {
  timeout: 20_000,
}, async (context) => {
  const { service } = await served(context);
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
  context.after(() => void socket.destroy());
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {});
  socket.write(
    `POST ${PATHS.challenge} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
  await service.close();
  await closed;
});
