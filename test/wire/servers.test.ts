/** The servers for their owner's own programs, asked what no program of the owner's asks: typed errors or a closed connection. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { startAdmin } from "../../runner/contributor/admin/server.ts";
import { startOperations } from "../../runner/contributor/operations/server.ts";
import { Purse } from "../../runner/gateway/purse.ts";
import { buildGateway } from "../../runner/gateway/server.ts";
import type { Tokenizer } from "../../runner/model/tokenizer.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { startAppServer } from "../../runner/web/server.ts";
import { DOMAIN } from "../contributor/memoryChain.ts";
import { served } from "../contributor/setting.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { rawAnswer, rawConnection } from "./raw.ts";

after(async () => (await loadCurve()).terminate());

interface Context {
  after(work: () => void | Promise<void>): void;
}

async function admin(context: Context): Promise<string> {
  const { data, service, account } = await served(context);
  const registry = "0x00000000000000000000000000000000000000a0";
  const options = { data, service, domain: DOMAIN, registry, contributor: account.address } as const;
  const started = await startAdmin({ ...options, settles: false, port: 0 });
  context.after(() => started.close());
  return started.url;
}

async function app(context: Context): Promise<string> {
  const directory = path.join(temporaryDirectory(context), "app");
  fs.mkdirSync(directory);
  fs.writeFileSync(path.join(directory, "index.html"), "<html><head></head></html>");
  const started = await startAppServer({ directory });
  context.after(() => started.close());
  return started.url;
}

async function operations(context: Context): Promise<string> {
  const health = () => ({ ready: true, checkedAt: 0, headAge: 0, diskFree: 0, problems: [] });
  const started = await startOperations({ port: 0, metrics: async () => "figures 1\n", health });
  context.after(() => started.close());
  return started.url;
}

async function gateway(context: Context): Promise<string> {
  const tokenizer = { encode: () => [1], decode: () => "", endIds: [] } as unknown as Tokenizer;
  const access = { apiKey: "k", hosts: ["127.0.0.1"] };
  const built = buildGateway({ models: [], tokenizer, purse: new Purse([], undefined), access });
  await built.app.listen({ host: "127.0.0.1", port: 0 });
  context.after(() => built.close());
  return `http://127.0.0.1:${(built.app.server.address() as { port: number }).port}`;
}

const SERVERS = { admin, app, operations, gateway };

/** The first line, lines after it, what follows them. */
function written(url: string, first: string, lines: readonly string[] = [], body = ""): string {
  return [`${first} HTTP/1.1`, `Host: ${new URL(url).host}`, ...lines, "", body].join("\r\n");
}

for (const [name, start] of Object.entries(SERVERS))
  test(`${name}: what two readers could read differently is refused, no path leads elsewhere`, async (context) => {
    const url = await start(context);
    const both = ["Content-Length: 2", "Transfer-Encoding: chunked", "Content-Type: application/json"];
    const malformed = [
      written(url, "POST /v1/completions", both, "{}"),
      written(url, "POST /v1/completions", ["Content-Length: 2", "Content-Length: 3"], "{}"),
      written(url, "GET /", ["X: a\0b"]),
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ];
    for (const bytes of malformed) assert.match(await rawAnswer(url, bytes), /^400/, JSON.stringify(bytes));
    assert.match(await rawAnswer(url, written(url, "GET /", [`X: ${"x".repeat(20_000)}`])), /^431/);
    const targets = [
      "/../../etc/passwd",
      "/%2e%2e/%2e%2e/etc/passwd",
      "//etc/passwd",
      "/%zz",
      "/a%00",
      "/__proto__",
    ];
    for (const target of [...targets, "http://169.254.169.254/latest"])
      assert.match(await rawAnswer(url, written(url, `GET ${target}`)), /^4\d\d/, target);
    assert.equal(await rawAnswer(url, written(url, "CONNECT 127.0.0.1:22")), "closed");
    const upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
    assert.doesNotMatch(await rawAnswer(url, written(url, "GET /", upgrade)), /^101/);
  });

test("a browser's page elsewhere gets nothing by a name rebound, whatever the path", async (context) => {
  for (const [name, start] of Object.entries(SERVERS)) {
    const url = await start(context);
    for (const target of ["/", "/metrics", "/v1/models", "/admin/v1/sessions"]) {
      const asked = `GET ${target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
      assert.match(await rawConnection(url, asked).closed, /^HTTP\/1\.1 403 /, `${name} ${target}`);
    }
  }
});
