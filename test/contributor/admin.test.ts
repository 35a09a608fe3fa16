import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, test } from "node:test";
import { request } from "undici";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { loadServedAdapter, readAdapterSecret, readManifest } from "../../runner/contributor/adapters.ts";
import { type Admin, type AdminOptions, startAdmin } from "../../runner/contributor/admin/server.ts";
import { adminToken, adminTokenFile } from "../../runner/contributor/admin/token.ts";
import { ReceiptStore } from "../../runner/contributor/store/receipts.ts";
import { toHex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { decodeState } from "../../runner/protocol/sessionState.ts";
import { groupWitness } from "../../runner/protocol/statement.ts";
import { type Offer, typedData } from "../../runner/protocol/typedData.ts";
import {
  ADMIN_PATHS,
  adminAdaptersSchema,
  adminOfferSchema,
  adminSessionSchema,
  adminSessionsSchema,
  takeToken,
} from "../../runner/wire/admin.ts";
import { bundleSchema, serviceSchema, stringifyMessage } from "../../runner/wire/messages.ts";
import { fillPath, PATHS } from "../../runner/wire/paths.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { ask } from "./buyer.ts";
import { DOMAIN, REGISTRY } from "./memoryChain.ts";
import { type Served, served, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const PAGE = "http://127.0.0.1:7430";

interface Called {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json: Record<string, unknown>;
  code: string | undefined;
}

interface Administered extends Served {
  admin: Admin;
  /** A call with the token, unless told otherwise. */
  call(
    path: string,
    init?: {
      method?: "GET" | "POST" | "OPTIONS";
      body?: unknown;
      headers?: Record<string, string | undefined>;
    },
  ): Promise<Called>;
}

async function administered(
  context: Parameters<typeof served>[0],
  options: Partial<AdminOptions> = {},
): Promise<Administered> {
  const contributor = await served(context);
  const { data, service, account } = contributor;
  const admin = await startAdmin({
    ...{ data, service, domain: DOMAIN, registry: REGISTRY, contributor: account.address },
    ...{ settles: false, port: 0, origins: [PAGE], ...options },
  });
  context.after(() => admin.close());
  return {
    ...contributor,
    admin,
    call: async (path, { method = "GET", body, headers = {} } = {}) => {
      const all: Record<string, string | undefined> = {
        authorization: `Bearer ${admin.token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      };
      const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
      const answer = await request(admin.url + path, {
        method,
        headers: given as Record<string, string>,
        ...(body === undefined ? {} : { body: stringifyMessage(body) }),
      });
      const text = await answer.body.text();
      const json = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {};
      const code = (json["error"] as { code?: string } | undefined)?.code;
      return { status: answer.statusCode, headers: answer.headers, text, json, code };
    },
  };
}

/** A buyer with two paid passes and one unpaid. */
async function session(contributor: Served) {
  const buyer = await contributor.buyer();
  await buyer.open();
  await buyer.pass(3);
  await buyer.pass(2);
  await buyer.pay();
  await buyer.pass(1);
  return buyer;
}

const at = (path: string, agreementId: string): string => fillPath(path, { agreementId });

test("the owner sees adapters with modules, key, leakage and offers", async (context) => {
  const contributor = await administered(context);
  await session(contributor);
  const { contributor: address, adapters } = adminAdaptersSchema.parse(
    (await contributor.call(ADMIN_PATHS.adapters)).json,
  );
  assert.equal(address, contributor.account.address.toLowerCase());
  const [adapter] = adapters;
  assert.deepEqual(
    adapter!.modules.map(({ name, shape, group }) => [name, shape, group]),
    [
      ["layer.q", [6, 5, 3], 0],
      ["layer.k", [6, 4, 2], 0],
      ["layer.v", [7, 3, 2], 1],
    ],
  );
  assert.deepEqual([adapter!.key.size, adapter!.key.state, adapter!.served], [14, "dev", true]);
  assert.deepEqual(adapter!.leakage, { tokensSold: 6, dInHalf: 3, ratio: 2 });
  assert.deepEqual(adapter!.offers, [contributor.offer]);
  const manifest = await contributor.call(
    fillPath(ADMIN_PATHS.manifest, { adapterId: contributor.adapterId }),
  );
  const stored = loadServedAdapter(contributor.data, contributor.adapterId);
  assert.equal(manifest.text, new TextDecoder().decode(stored.manifestBytes));
});

test("the owner follows a session, ends it, has it proven and gets the bundle", async (context) => {
  const contributor = await administered(context);
  const buyer = await session(contributor);
  const { agreementId } = buyer;
  const listed = adminSessionsSchema.parse((await contributor.call(ADMIN_PATHS.sessions)).json);
  const seen = listed.sessions[0]!;
  assert.deepEqual([seen.phase, seen.tokens, seen.unpaidTokens, seen.owed], ["serving", 6, 1, 50n]);
  assert.deepEqual([seen.receipt, seen.proofs, seen.groups], [{ passes: 2, tokens: 5 }, [], 2]);
  assert.equal(seen.chain!.status, "open");
  const early = await contributor.call(at(ADMIN_PATHS.bundle, agreementId));
  assert.deepEqual([early.status, early.code], [404, "session/not-proven"]);
  const serving = await contributor.call(at(ADMIN_PATHS.prove, agreementId), { method: "POST", body: {} });
  assert.deepEqual([serving.status, serving.code], [409, "session/still-serving"]);
  const ended = await contributor.call(at(ADMIN_PATHS.end, agreementId), { method: "POST", body: {} });
  assert.equal(adminSessionSchema.parse(ended.json).phase, "ended");
  // twice at once: each group is proven once
  const prove = () => contributor.call(at(ADMIN_PATHS.prove, agreementId), { method: "POST", body: {} });
  const [proven, again] = await Promise.all([prove(), prove()]);
  const bundle = bundleSchema.parse(proven!.json);
  assert.equal(again!.text, proven!.text);
  assert.equal((await contributor.call(at(ADMIN_PATHS.bundle, agreementId))).text, proven!.text);
  assert.deepEqual([bundle.receipt.tokens, bundle.V.length, bundle.claims.length], [5n, 2, 2]);
  const one = adminSessionSchema.parse((await contributor.call(at(ADMIN_PATHS.agreement, agreementId))).json);
  assert.deepEqual(
    one.proofs.map(({ group, proveMs }) => [group, proveMs > 0]),
    [
      [0, true],
      [1, true],
    ],
  );
});

test("a service that settles by itself proves nothing on demand", async (context) => {
  const contributor = await administered(context, { settles: true });
  const { agreementId } = await session(contributor);
  const answer = await contributor.call(at(ADMIN_PATHS.prove, agreementId), { method: "POST", body: {} });
  assert.deepEqual([answer.status, answer.code], [409, "admin/settles-by-itself"]);
});

test("the chain being away does not hide the sessions", async (context) => {
  const contributor = await administered(context);
  const { agreementId } = await session(contributor);
  contributor.chain.agreements.delete(agreementId);
  const { sessions } = adminSessionsSchema.parse((await contributor.call(ADMIN_PATHS.sessions)).json);
  assert.deepEqual([sessions[0]!.chain, sessions[0]!.tokens], [null, 6]);
});

const CALLS = Object.values(ADMIN_PATHS).map((path) => ({
  path: fillPath(path, {
    adapterId: `0x${"11".repeat(32)}`,
    agreementId: `0x${"22".repeat(32)}`,
    offerHash: "x",
  }),
}));

test("nothing is answered without the token", async (context) => {
  const { admin, call } = await administered(context);
  const wrong = [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    `Bearer ${"0".repeat(64)}`,
    `Bearer ${admin.token.slice(0, 63)}`,
    `Bearer ${admin.token}0`,
    `Basic ${admin.token}`,
    admin.token,
  ];
  for (const { path } of [...CALLS, { path: "/nowhere" }])
    for (const method of ["GET", "POST"] as const)
      for (const authorization of path === ADMIN_PATHS.sessions ? wrong : [undefined]) {
        const answer = await call(path, { method, headers: { authorization } });
        assert.deepEqual([path, answer.status, answer.code], [path, 401, "admin/unauthorised"]);
      }
  // a token in the address ends up in logs and histories: it counts for nothing
  const inAddress = await call(`${ADMIN_PATHS.sessions}?token=${admin.token}`, {
    headers: { authorization: undefined },
  });
  assert.equal(inAddress.status, 401);
});

test("a page of another origin is refused, whatever it carries, and may read nothing", async (context) => {
  const { call } = await administered(context);
  for (const origin of [
    "http://evil.example",
    "null",
    "http://127.0.0.1:7431",
    `${PAGE}.evil.example`,
    "https://127.0.0.1:7430",
  ])
    for (const method of ["GET", "OPTIONS"] as const) {
      const headers = { origin, "access-control-request-method": "GET" };
      const answer = await call(ADMIN_PATHS.sessions, { method, headers });
      assert.deepEqual([origin, answer.status, answer.code], [origin, 403, "admin/other-origin"]);
      assert.equal(answer.headers["access-control-allow-origin"], undefined);
    }
});

test("the page it was told of may ask and read", async (context) => {
  const { call } = await administered(context);
  const preflight = await call(ADMIN_PATHS.sessions, {
    method: "OPTIONS",
    headers: { authorization: undefined, origin: PAGE, "access-control-request-method": "GET" },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers["access-control-allow-origin"], PAGE);
  assert.match(String(preflight.headers["access-control-allow-headers"]), /authorization/);
  const answer = await call(ADMIN_PATHS.sessions, { headers: { origin: PAGE } });
  assert.deepEqual([answer.status, answer.headers["access-control-allow-origin"]], [200, PAGE]);
  assert.equal(answer.headers["access-control-allow-credentials"], undefined);
});

test("a name rebound to this machine is refused", async (context) => {
  const { admin, call } = await administered(context);
  const { port } = new URL(admin.url);
  for (const host of [
    `evil.example:${port}`,
    "evil.example",
    "127.0.0.1",
    "127.0.0.1:1",
    `127.0.0.1.evil.example:${port}`,
    `localhost:${port}@evil.example`,
  ]) {
    const answer = await call(ADMIN_PATHS.sessions, { headers: { host } });
    assert.deepEqual([host, answer.status, answer.code], [host, 403, "admin/other-host"]);
  }
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`])
    assert.equal((await call(ADMIN_PATHS.sessions, { headers: { host } })).status, 200);
});

test("what is not there, and what is not understood, is a typed error", async (context) => {
  const { call } = await administered(context);
  const none = "0x".padEnd(66, "0");
  const cases: [status: number, code: string, path: string, body?: unknown][] = [
    [404, "wire/not-found", "/admin/v1/vault"],
    [404, "session/unknown-agreement", at(ADMIN_PATHS.agreement, none)],
    [404, "session/unknown-agreement", at(ADMIN_PATHS.bundle, none)],
    [404, "session/unknown-agreement", at(ADMIN_PATHS.end, none), {}],
    [404, "session/unknown-agreement", at(ADMIN_PATHS.prove, none), {}],
    [400, "wire/malformed", at(ADMIN_PATHS.bundle, "..%2f..%2fvault")],
    [404, "adapter/unknown", fillPath(ADMIN_PATHS.manifest, { adapterId: none })],
    [404, "offer/unknown", fillPath(ADMIN_PATHS.cancelOffer, { offerHash: none }), {}],
    [400, "wire/malformed", ADMIN_PATHS.offers, { offer: {} }],
    [413, "wire/too-large", ADMIN_PATHS.offers, { offer: "x".repeat(70_000) }],
  ];
  for (const [status, code, path, body] of cases) {
    const answer = await call(path, body === undefined ? {} : { method: "POST", body });
    assert.deepEqual([path, answer.status, answer.code], [path, status, code]);
  }
});

test("an offer signed by the contributor's wallet is stored and shown; nobody else's is", async (context) => {
  const { call, account, offer, service } = await administered(context);
  const mine: Offer = { ...offer.offer, nonce: 77n, pricePerToken: 12n };
  const sign = (by: typeof account, message: Offer) => by.signTypedData(typedData(DOMAIN, "Offer", message));
  const send = async (message: Offer, signature: string) =>
    call(ADMIN_PATHS.offers, { method: "POST", body: { offer: message, signature } });
  const stranger = privateKeyToAccount(generatePrivateKey());
  const signature = await sign(account, mine);
  const refused: [code: string, Promise<Called>][] = [
    ["signature/wrong-signer", send(mine, await sign(stranger, mine))],
    ["signature/wrong-signer", send({ ...mine, pricePerToken: 1n }, signature)],
    [
      "offer/too-short",
      send({ ...mine, closeWindow: 1n }, await sign(account, { ...mine, closeWindow: 1n })),
    ],
    ["offer/expired", send({ ...mine, expiry: 1n }, await sign(account, { ...mine, expiry: 1n }))],
  ];
  for (const [code, answer] of refused) assert.equal((await answer).code, code);
  const stored = await send(mine, signature);
  assert.equal(stored.status, 201);
  const { offerHash } = adminOfferSchema.parse(stored.json);
  assert.equal((await send(mine, signature)).status, 201, "a repeat changes nothing");
  const shown = async (): Promise<bigint[]> =>
    serviceSchema
      .parse((await ask(service.url + PATHS.service)).json)
      .adapters[0]!.offers.map((one) => one.offer.nonce);
  await until(async () => (await shown()).includes(77n), "the new offer");
  await call(fillPath(ADMIN_PATHS.cancelOffer, { offerHash }), { method: "POST", body: {} });
  await until(async () => !(await shown()).includes(77n), "the cancelled offer to be gone");
});

/** A secret as it could appear: hex of either case, base64, or the decimals of its elements. */
function spellings(bytes: Uint8Array): string[] {
  const hex = toHex(bytes).slice(2);
  return [hex, hex.toUpperCase(), Buffer.from(bytes).toString("base64").replaceAll("=", "")];
}

test("no answer holds a seed, a weight, a blind, a fold, an opening or a salt", async (context) => {
  const contributor = await administered(context);
  const { data, adapterId, call } = contributor;
  const buyer = await session(contributor);
  const { agreementId } = buyer;
  await call(at(ADMIN_PATHS.end, agreementId), { method: "POST", body: {} });
  const texts = [(await call(at(ADMIN_PATHS.prove, agreementId), { method: "POST", body: {} })).text];
  for (const path of Object.values(ADMIN_PATHS))
    texts.push(
      (await call(fillPath(path, { adapterId, agreementId, offerHash: contributor.offer.offerHash }))).text,
    );
  const answers = texts.join("\n");
  const { weights, blinds, layout } = loadServedAdapter(data, adapterId);
  const secret = readAdapterSecret(data, adapterId, readManifest(data, adapterId));
  const state = decodeState(layout, new ReceiptStore(data.database).readState(agreementId)!);
  const witnesses = [0, 1].map((group) => groupWitness(layout, weights, blinds, state, group));
  const bigints = [
    ...blinds.flatMap(({ u, v }) => [...u, ...v]),
    ...[...state.xBar, ...state.yBar].flat(),
    ...witnesses.flatMap(({ yhat, h, s, blind }) => [yhat, ...h, ...s, blind]),
  ].filter((value) => value > 2n ** 40n || value < -(2n ** 40n));
  assert.ok(bigints.length > 50);
  const forbidden = [
    ...[secret.seed, secret.scaleSalt, state.lastSalt].flatMap(spellings),
    ...weights.flatMap(({ Aq, Bq }) => [[...Aq].join(","), [...Bq].join(",")]),
    ...secret.modules.map(({ b }) => String(b[0])),
    ...bigints.flatMap((value) => {
      const size = value < 0n ? -value : value;
      return [size.toString(), size.toString(16)];
    }),
  ];
  assert.ok(answers.includes(agreementId) && answers.length > 5000);
  for (const text of forbidden) assert.equal(answers.includes(text), false, text);
});

test("the token is random, kept, and only its owner's", async (context) => {
  const directory = temporaryDirectory(context);
  const token = adminToken(directory);
  assert.match(token, /^[0-9a-f]{64}$/);
  assert.equal(adminToken(directory), token);
  assert.notEqual(adminToken(temporaryDirectory(context)), token);
  const file = adminTokenFile(directory);
  if (process.platform !== "win32") {
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    fs.chmodSync(file, 0o644);
    assert.throws(() => adminToken(directory), { code: "admin/token-exposed", field: file });
    fs.chmodSync(file, 0o600);
  }
  fs.writeFileSync(file, "short");
  assert.throws(() => adminToken(directory), { code: "admin/bad-token-file", field: file });
});

test("a page takes its token out of the address", () => {
  const token = "ab".repeat(32);
  assert.deepEqual(takeToken(`#/contributor?token=${token}`), { token, fragment: "#/contributor" });
  assert.deepEqual(takeToken(`#/agreement/0x1?a=b&token=${token}`), {
    token,
    fragment: "#/agreement/0x1?a=b",
  });
  assert.deepEqual(takeToken("#/contributor?token=<script>"), {
    token: undefined,
    fragment: "#/contributor",
  });
  assert.deepEqual(takeToken(""), { token: undefined, fragment: "" });
});
