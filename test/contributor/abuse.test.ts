/** What no buyer would send, byte by byte over real connections: refused in words or closed, and nothing behind it is reached. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import type { ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import * as path from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import * as tls from "node:tls";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { Authentication } from "../../runner/contributor/authentication.ts";
import { type Times, transport } from "../../runner/contributor/listen.ts";
import { buildServer, type PublicContent } from "../../runner/contributor/server.ts";
import type { Sessions } from "../../runner/contributor/sessions.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { LIMITS, PATHS } from "../../runner/wire/paths.ts";
import { type Raw, rawAnswer, rawConnection } from "../wire/raw.ts";
import { ask } from "./buyer.ts";
import { served, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const NONCE = `0x${"0".repeat(64)}`;
const CHALLENGE = JSON.stringify({ agreementId: NONCE, clientNonce: NONCE });

/** A request with these lines after its first, and a body. */
function written(first: string, lines: readonly string[] = [], body = ""): string {
  return [`${first} HTTP/1.1`, "Host: x", ...lines, "", body].join("\r\n");
}

function posted(body: string, lines: readonly string[] = []): string {
  const own = ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`];
  return written(`POST ${PATHS.challenge}`, [...own, ...lines], body);
}

const get = (target: string, ...lines: string[]): string => written(`GET ${target}`, lines);
const certificate = (name: string): string =>
  fileURLToPath(new URL(`../buyer/certificates/contributor.${name}`, import.meta.url));
const CERTIFICATE = { certFile: certificate("crt"), keyFile: certificate("key") };
const CHUNKED = ["Content-Type: application/json", "Transfer-Encoding: chunked"];

test("requests that two readers could read differently are refused", async (context) => {
  const { service } = await served(context);
  const cases: [expected: string, bytes: string][] = [
    ["400 wire/bad-request", posted("{}", ["Content-Length: 3"])],
    ["400 wire/bad-request", posted("{}", ["Transfer-Encoding: chunked"])],
    ["400 wire/bad-request", posted("{}", ["Transfer-Encoding: chunked, identity"])],
    ["400 wire/bad-request", posted("{}", ["Content-Length : 2"])],
    ["400 wire/bad-request", written(`POST ${PATHS.challenge}`, ["Content-Length: +2"], "{}")],
    ["400 wire/bad-request", written(`POST ${PATHS.challenge}`, CHUNKED, "-1\r\n{}\r\n0\r\n\r\n")],
    ["400 wire/bad-request", written(`POST ${PATHS.challenge}`, CHUNKED, "fffffffffffffffff\r\n")],
    ["400 wire/bad-request", get(PATHS.service, " folded: line")],
    ["400 wire/bad-request", get(PATHS.service, "X: a\0b")],
    ["400", `GET ${PATHS.service} HTTP/1.1\r\n\r\n`],
    ["400 wire/bad-request", `GET ${PATHS.service} HTTP/1.1\nHost: x\n\n`],
    ["400 wire/bad-request", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["400 wire/bad-request", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["431 wire/too-large", get(PATHS.service, `X: ${"x".repeat(20_000)}`)],
    ["431 wire/too-large", get(`/${"x".repeat(20_000)}`)],
  ];
  for (const [expected, bytes] of cases)
    assert.equal(await rawAnswer(service.url, bytes), expected, JSON.stringify(bytes.slice(0, 200)));
  assert.equal((await ask(service.url + PATHS.health)).status, 200);
});

test("a path is what is written, and leads to nothing else", async (context) => {
  const { service } = await served(context);
  const id = "0".repeat(64);
  const cases: [expected: string, target: string][] = [
    ["404 wire/not-found", "/v1/../v1/service"],
    ["404 wire/not-found", "/v1/%2e%2e/v1/service"],
    ["404 wire/not-found", "//v1/service"],
    ["404 wire/not-found", "/v1//service"],
    ["404 wire/not-found", "/v1/service/"],
    ["404 wire/not-found", "/V1/service"],
    ["404 wire/not-found", "/v1/service%00"],
    ["404 wire/not-found", "/v1/service;a=b"],
    ["404 wire/not-found", "/v1\\service"],
    ["404 wire/not-found", "/__proto__"],
    ["400 wire/bad-request", "/v1/%zz"],
    ["400 wire/bad-request", "/v1/adapters/%c0%ae/manifest"],
    ["400 wire/malformed", `/v1/adapters/0x${id}%00/manifest`],
    ["400 wire/malformed", "/v1/adapters/..%2f..%2fvault/manifest"],
    ["404 wire/not-found", "/v1/adapters/../../vault/manifest"],
    ["400 wire/bad-request", `/v1/adapters/${id.repeat(3)}/manifest`],
    ["404 wire/not-found", "http://169.254.169.254/latest/meta-data"],
    ["404 wire/not-found", "*"],
  ];
  for (const [expected, target] of cases)
    assert.equal(await rawAnswer(service.url, get(target)), expected, target);
  assert.equal(await rawAnswer(service.url, written("CONNECT 127.0.0.1:22")), "closed");
});

test("another method, protocol or encoding by the way is not taken up", async (context) => {
  const { service } = await served(context);
  const upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
  const key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
  assert.match(await rawAnswer(service.url, get(PATHS.health, ...upgrade, key)), /^200|closed$/);
  assert.match(
    await rawAnswer(service.url, get(PATHS.health, "Connection: Upgrade", "Upgrade: h2c")),
    /^200|closed$/,
  );
  const override = [
    "X-HTTP-Method-Override: POST",
    "X-Forwarded-For: 1.2.3.4",
    "X-Original-URL: /v1/session",
  ];
  assert.equal(await rawAnswer(service.url, get("/v1/nothing", ...override)), "404 wire/not-found");
  for (const method of ["PUT", "DELETE", "TRACE", "OPTIONS", "PATCH"])
    assert.match(
      await rawAnswer(service.url, written(`${method} ${PATHS.service}`)),
      /^404 wire\/not-found|closed$/,
    );
  assert.equal(await rawAnswer(service.url, posted(CHALLENGE, ["Expect: nothing"])), "417");
  for (const encoding of ["gzip", "deflate", "br", "gzip, identity"])
    assert.equal(
      await rawAnswer(service.url, posted(CHALLENGE, [`Content-Encoding: ${encoding}`])),
      "415 wire/media-type",
    );
  const bomb = gzipSync(Buffer.alloc(2 ** 24)).toString("latin1");
  const head = ["Content-Type: application/octet-stream", "Content-Encoding: gzip"];
  const pass = written("POST /v1/session/passes/1", [...head, `Content-Length: ${bomb.length}`], bomb);
  assert.equal(await rawAnswer(service.url, Buffer.from(pass, "latin1")), "415 wire/media-type");
});

test("JSON that is deep, names prototypes or says things twice is data or refused", async (context) => {
  const { service } = await served(context);
  const url = service.url + PATHS.challenge;
  const headers = { "content-type": "application/json" };
  const code = async (body: string) => (await ask(url, { method: "POST", headers, body })).code;
  assert.equal(await code("[".repeat(30_000)), "wire/malformed");
  assert.equal(await code("[".repeat(30_000) + "]".repeat(30_000)), "wire/malformed");
  assert.equal(await code(`${'{"a":'.repeat(9000)}0${"}".repeat(9000)}`), "wire/malformed");
  const beside = (more: string) => code(`${CHALLENGE.slice(0, -1)},${more}}`);
  for (const more of ['"__proto__":{"agreementId":1}', '"constructor":{"prototype":{"x":1}}', '"x":1'])
    assert.equal(await beside(more), "wire/malformed", more);
  assert.equal(await code(`{"__proto__":${CHALLENGE}}`), "wire/malformed");
  assert.equal(
    await beside('"clientNonce":"0x"'),
    "wire/malformed",
    "the second of two is the one that is read",
  );
  assert.equal(({} as Record<string, unknown>)["x"], undefined);
  assert.equal(await code(CHALLENGE), undefined);
});

test("a body without end ends where the limit is", async (context) => {
  const { service } = await served(context);
  const { socket, closed } = rawConnection(service.url, written(`POST ${PATHS.challenge}`, CHUNKED));
  const chunk = `4000\r\n${" ".repeat(0x4000)}\r\n`;
  let sent = 0;
  while (!socket.closed && sent < 2 ** 26) {
    socket.write(chunk);
    sent += chunk.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(await closed, / 413 .*wire\/too-large/s);
  const head = written(`POST ${PATHS.challenge}`, CHUNKED);
  assert.match(
    await rawAnswer(service.url, `${head}1;${"x".repeat(2 ** 16)}\r\n \r\n`),
    /^413 wire\/too-large|closed$/,
  );
  assert.ok(sent < 2 ** 25, `${sent} bytes were taken of ${LIMITS.jsonBytes}`);
});

/** Times that a test can wait for. */
const SHORT: Partial<Times> = {
  handshake: 300,
  headers: 300,
  request: 500,
  unread: 300,
  idle: 300,
  lookEvery: 50,
};

/** What was answered on connections that the other side closes soon. */
async function untilClosed(connections: readonly Raw[]): Promise<string[]> {
  try {
    await until(() => connections.every(({ socket }) => socket.closed), "the end of the connections", 4);
    return await Promise.all(connections.map(({ closed }) => closed));
  } finally {
    for (const { socket } of connections) socket.destroy();
  }
}

test("who is slow with headers or a body, or says nothing, is left", async (context) => {
  const { service } = await served(context, { serve: { times: SHORT } });
  const slow = [
    rawConnection(service.url),
    rawConnection(service.url, get(PATHS.health).slice(0, -2)),
    rawConnection(service.url, written(`POST ${PATHS.challenge}`, [...CHUNKED], "1\r\n{\r\n")),
    rawConnection(service.url, posted(CHALLENGE).slice(0, -1)),
  ];
  const idle = rawConnection(service.url, get(PATHS.health));
  // A byte now and then is no excuse.
  const drip = setInterval(() => slow[1]!.socket.write("x"), 40);
  try {
    const answers = await untilClosed(slow);
    for (const [i, answer] of answers.entries()) assert.match(answer, / 408 .*wire\/too-slow/s, `${i}`);
    assert.match(await idle.closed, / 200 /);
  } finally {
    clearInterval(drip);
  }
});

test("a TLS handshake that does not end holds nothing", async (context) => {
  const { service } = await served(context, { serve: { tls: CERTIFICATE, times: SHORT } });
  const begun = [
    rawConnection(service.url),
    rawConnection(service.url, Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3)),
    rawConnection(service.url, get(PATHS.health)),
  ];
  const answers = await untilClosed(begun);
  for (const answer of answers) assert.ok(!answer.includes("HTTP/1.1 200"));
});

test("who asks for much and reads nothing is left", async (context) => {
  // More than the kernel's buffers hold.
  const answer = Buffer.alloc(2 ** 26);
  for (const send of [
    (response: ServerResponse) => void response.end(answer),
    (response: ServerResponse) =>
      void Readable.from(Array(1024).fill(answer.subarray(0, 2 ** 16))).pipe(response),
  ]) {
    const server = transport({ times: SHORT }).createServer((_request, response) => send(response));
    let held: Socket | undefined;
    server.once("connection", (socket) => {
      held = socket;
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    context.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { socket } = rawConnection(`http://127.0.0.1:${port}`);
    context.after(() => void socket.destroy());
    socket.pause();
    socket.write(get("/"));
    await until(() => held?.destroyed === true, "the end of the connection", 4);
  }
});

test("files that strangers ask for and do not read are not kept for each of them", async (context) => {
  const file = new Uint8Array(8 * 2 ** 20).fill(1);
  const app = buildServer({
    transport: transport({ tls: CERTIFICATE }),
    content: { commitments: () => file } as unknown as PublicContent,
    sessions: {} as Sessions,
    authentication: new Authentication(),
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const options = { host: "127.0.0.1", port, rejectUnauthorized: false };
  const before = process.memoryUsage.rss();
  const sockets = Array.from({ length: 24 }, () => tls.connect(options));
  context.after(async () => {
    for (const socket of sockets) socket.destroy();
    await app.close();
  });
  for (const socket of sockets) {
    await once(socket, "secureConnect");
    socket.pause();
    socket.write(get(PATHS.commitments.replace(":adapterId", NONCE)));
  }
  await sleep(500);
  const more = (process.memoryUsage.rss() - before) / 2 ** 20;
  assert.ok(more < 96, `${Math.round(more)} MB for 24 answers of 8 MB`);
});

/** Every file of a folder by its hash; the probe of the disk comes and goes. */
function contents(folder: string): Record<string, string> {
  const files = fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      .filter(({ name }) => !name.includes(".write-probe"))
      .map(({ parentPath, name }) => {
        const file = path.join(parentPath, name);
        return [
          path.relative(folder, file),
          createHash("sha256").update(fs.readFileSync(file)).digest("hex"),
        ];
      })
      .sort(),
  );
}

test("a flood of strangers, pipelined too, reaches neither the adapter nor the disk", async (context) => {
  const {
    service,
    data,
    buyer: newBuyer,
  } = await served(context, {
    serve: { rateLimit: { perSecond: 0.001, burst: 50 }, keepTranscript: true },
  });
  const buyer = await newBuyer();
  await buyer.open();
  const reached: string[] = [];
  const { sessions } = service;
  for (const name of [
    "answerPass",
    "acceptReceipt",
    "end",
    "scales",
    "view",
    "bundle",
    "leakageView",
  ] as const) {
    const own = sessions[name].bind(sessions) as (...values: unknown[]) => unknown;
    Object.assign(sessions, {
      [name]: (...values: unknown[]) => {
        reached.push(name);
        return own(...values);
      },
    });
  }
  const before = contents(data.directory);
  const wrong = `Authorization: Bearer ${"0".repeat(buyer.token.length)}`;
  const body = "Content-Type: application/octet-stream\r\nContent-Length: 4";
  const flood = [
    get(PATHS.session, wrong),
    get(PATHS.scales, wrong),
    get(PATHS.bundle),
    written("POST /v1/session/passes/1", [wrong, body], "abcd"),
    written(`POST ${PATHS.receipts}`, [wrong, "Content-Type: application/json", "Content-Length: 2"], "{}"),
    written(`POST ${PATHS.end}`, [wrong]),
    posted(CHALLENGE),
    get(PATHS.service),
  ];
  const connections = Array.from({ length: 20 }, () => rawConnection(service.url, flood.join("").repeat(10)));
  const statuses = (): string[] =>
    connections.flatMap(({ answered }) => answered().match(/HTTP\/1\.1 \d{3}/g) ?? []);
  await until(
    () => statuses().length >= 1600 || connections.every(({ socket }) => socket.closed),
    "all answers",
  );
  for (const { socket } of connections) socket.destroy();
  const allowed = new Set(["HTTP/1.1 200", "HTTP/1.1 401", "HTTP/1.1 429"]);
  assert.deepEqual(
    statuses().filter((status) => !allowed.has(status)),
    [],
  );
  assert.ok(statuses().filter((status) => status.endsWith("429")).length > 1000);
  assert.equal(reached.length, 0);
  assert.deepEqual(contents(data.directory), before);
  await buyer.pass(2);
  assert.ok(reached.includes("answerPass"));
  assert.notDeepEqual(contents(data.directory), before);
});
