import assert from "node:assert/strict";
import * as fs from "node:fs";
import { connect } from "node:net";
import * as path from "node:path";
import { test } from "node:test";
import { request } from "undici";
import { type AppServer, type AppServerOptions, startAppServer } from "../../runner/web/server.ts";
import type { AppConfig } from "../../runner/wire/admin.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

const CONFIG: AppConfig = {
  chainId: 31337,
  rpcUrl: "http://127.0.0.1:8545",
  deployment: { chainId: 31337 },
  services: [{ adminUrl: "http://127.0.0.1:7421" }],
};

/** A build of two files, with a secret beside it. */
async function serving(
  context: Parameters<typeof temporaryDirectory>[0],
  options: Partial<AppServerOptions> = {},
): Promise<AppServer> {
  const root = temporaryDirectory(context);
  const directory = path.join(root, "app");
  fs.mkdirSync(path.join(directory, "assets"), { recursive: true });
  fs.writeFileSync(path.join(directory, "index.html"), "<html><head></head><body></body></html>");
  fs.writeFileSync(path.join(directory, "assets", "index-1.js"), "1;");
  fs.writeFileSync(path.join(root, "secret.txt"), "secret");
  const server = await startAppServer({ directory, ...options });
  context.after(() => server.close());
  return server;
}

/** A request as it is written, dots and all; the whole answer. */
function raw(url: string, target: string, method = "GET"): Promise<string> {
  const { hostname, port, host } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let answer = "";
    socket.on("data", (bytes) => {
      answer += bytes.toString();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
    socket.end(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  });
}

test("the page comes with its policy and is neither sniffed nor framed", async (context) => {
  const server = await serving(context);
  server.configure(CONFIG);
  const page = await request(server.url);
  assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
  const policy = String(page.headers["content-security-policy"]);
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /connect-src 'self' http:\/\/127\.0\.0\.1:8545 http:\/\/127\.0\.0\.1:7421;/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /'unsafe-(inline|eval)'/);
  assert.equal(page.headers["x-content-type-options"], "nosniff");
  assert.equal(page.headers["cross-origin-opener-policy"], "same-origin");
  const script = await request(`${server.url}/assets/index-1.js`);
  assert.match(String(script.headers["cache-control"]), /immutable/);
  const again = await request(server.url, { headers: { "if-none-match": String(page.headers["etag"]) } });
  assert.equal(again.statusCode, 304);
});

test("no path leads out of the build", async (context) => {
  const server = await serving(context);
  const targets = [
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/assets/../../secret.txt",
    "/assets/..%5c..%5csecret.txt",
    "//etc/passwd",
    "/etc/passwd",
    "/./index.html/../../secret.txt",
    "/%00",
    "/%",
    "/assets",
    "/constructor",
  ];
  for (const target of targets) {
    const answer = await raw(server.url, target);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, target);
    assert.equal(answer.includes("secret\n") || answer.endsWith("secret"), false, target);
  }
  for (const method of ["POST", "PUT", "DELETE"])
    assert.match(await raw(server.url, "/", method), /^HTTP\/1\.1 404 /);
});

test("a name rebound to this machine gets nothing", async (context) => {
  const server = await serving(context);
  server.configure(CONFIG);
  const { port } = new URL(server.url);
  for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1", `127.0.0.1.evil.example:${port}`])
    for (const target of ["/", "/config.json"]) {
      const answer = await request(server.url + target, { headers: { host } });
      assert.equal(answer.statusCode, 403, host);
      assert.equal(((await answer.body.json()) as { error: { code: string } }).error.code, "app/other-host");
    }
  const local = await request(server.url, { headers: { host: `localhost:${port}` } });
  assert.equal(local.statusCode, 200);
});

test("the configuration is what was given, and only when it was", async (context) => {
  const server = await serving(context);
  assert.equal((await request(`${server.url}/config.json`)).statusCode, 503);
  assert.throws(() => server.configure({ ...CONFIG, rpcUrl: "javascript:alert(1)" }), {
    code: "wire/malformed",
    field: "config.rpcUrl",
  });
  server.configure(CONFIG);
  assert.deepEqual(await (await request(`${server.url}/config.json`)).body.json(), CONFIG);
});

test("the demo wallet is there only when asked for", async (context) => {
  const plain = await serving(context);
  assert.equal((await request(`${plain.url}/demo-wallet/wallet.js`)).statusCode, 404);
  assert.doesNotMatch(await (await request(plain.url)).body.text(), /demo-wallet/);
  const demo = await serving(context, { demoWallet: true });
  assert.match(await (await request(demo.url)).body.text(), /<script src="\/demo-wallet\/wallet\.js"/);
  const script = await (await request(`${demo.url}/demo-wallet/wallet.js`)).body.text();
  assert.doesNotMatch(script, /0x[0-9a-f]{64}|test test test/i, "the page serves no key");
});

test("a port that is taken is a typed error", async (context) => {
  const server = await serving(context);
  await assert.rejects(serving(context, { port: Number(new URL(server.url).port) }), {
    code: "app/port-in-use",
    field: "port",
  });
});
