import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { request } from "undici";
import { ensureKey } from "../../runner/keys/load.ts";
import { type AppServer, startAppServer } from "../../runner/web/server.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

async function serving(context: Parameters<typeof temporaryDirectory>[0]): Promise<AppServer> {
  const directory = temporaryDirectory(context);
  fs.writeFileSync(path.join(directory, "index.html"), "<html><head></head><body></body></html>");
  const server = await startAppServer({ directory });
  context.after(() => server.close());
  return server;
}

test("a built key's two proving files are served as they are, to the page's own origin", async (context) => {
  const { url } = await serving(context);
  const paths = await ensureKey(14);
  for (const [name, file] of [
    ["key.zkey", paths.zkey],
    ["lora_statement.wasm", paths.wasm],
  ] as const) {
    const { statusCode, headers, body } = await request(`${url}/keys/14/${name}`);
    assert.equal(statusCode, 200);
    assert.equal(headers["cross-origin-resource-policy"], "same-origin");
    assert.deepEqual(new Uint8Array(await body.arrayBuffer()), new Uint8Array(fs.readFileSync(file)));
  }
});

test("no other file is reached through the path of a key", async (context) => {
  const { url } = await serving(context);
  for (const wanted of [
    "14/info.json",
    "14/..%2f..%2fkeys.json",
    "14%2f..%2f30/key.zkey",
    "014/key.zkey",
    "15/key.zkey",
    "14/KEY.ZKEY",
    "14/key.zkey%00",
  ]) {
    const { statusCode, body } = await request(`${url}/keys/${wanted}`);
    assert.equal(statusCode, 404, wanted);
    await body.dump();
  }
});

test("a key that is not built is said to be not built", async (context) => {
  const before = process.env["DELTAPAY_KEYS"];
  process.env["DELTAPAY_KEYS"] = temporaryDirectory(context);
  context.after(() => {
    if (before === undefined) delete process.env["DELTAPAY_KEYS"];
    else process.env["DELTAPAY_KEYS"] = before;
  });
  const { url } = await serving(context);
  const { statusCode, body } = await request(`${url}/keys/14/key.zkey`);
  assert.equal(statusCode, 404);
  assert.match(await body.text(), /not built here/);
});
