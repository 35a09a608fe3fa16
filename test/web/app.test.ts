import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { testAccount } from "../../runner/chain/accounts.ts";
import { connectChain, withAccount } from "../../runner/chain/connect.ts";
import { deploy } from "../../runner/chain/deploy.ts";
import { deploymentPath } from "../../runner/chain/deployment.ts";
import { startLocalNode } from "../../runner/chain/localNode.ts";
import { isStale } from "../../runner/web/build.ts";
import { appConfigSchema } from "../../runner/wire/admin.ts";
import { failing, startJson } from "../cli/command.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

interface Ready {
  url: string;
  chainId: number;
  rpcUrl: string;
  contributorUrl: string;
}

test("`deltapay app` serves the page with a chain of its own, and both end with it", async (context) => {
  const folder = temporaryDirectory(context);
  const deployment = path.join(folder, "deployment.json");
  const before = fs.statSync(deploymentPath(31337), { throwIfNoEntry: false })?.mtimeMs;
  const { ready, stop, output } = await startJson<Ready>(context, [
    ...["app", "--port", "0", "--chain-port", "0", "--deployment", deployment],
    ...["--admin", "http://127.0.0.1:7421", "--data", folder],
  ]);
  const page = await fetch(ready.url);
  const html = await page.text();
  assert.match(html, /<div id="root">/);
  assert.doesNotMatch(html, /demo-wallet/, "no wallet of test accounts unless asked for");
  for (const [, file] of html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g))
    assert.equal((await fetch(ready.url + file)).status, 200);
  const config = appConfigSchema.parse(await (await fetch(`${ready.url}/config.json`)).json());
  assert.deepEqual(
    [config.chainId, config.rpcUrl, config.services],
    [31337, ready.rpcUrl, [{ adminUrl: "http://127.0.0.1:7421" }]],
  );
  assert.deepEqual(config.deployment, JSON.parse(fs.readFileSync(deployment, "utf8")));
  const token = fs.readFileSync(path.join(folder, "admin.token"), "utf8").trim();
  assert.equal(ready.contributorUrl, `${ready.url}/#/contributor?token=${token}`);
  assert.equal(JSON.stringify(config).includes(token), false, "the token is not for whoever asks");
  assert.equal(output.stderr.includes(token), false);
  assert.equal(await stop(), 0);
  await assert.rejects(fetch(ready.url));
  await assert.rejects(fetch(ready.rpcUrl, { method: "POST" }));
  const after = fs.statSync(deploymentPath(31337), { throwIfNoEntry: false })?.mtimeMs;
  assert.equal(after, before, "a deployment file named is the only one written");
});

test("what cannot be served is said in words", async (context) => {
  const folder = temporaryDirectory(context);
  const { code, error } = await failing([
    "app",
    "--port",
    "0",
    "--rpc",
    "http://127.0.0.1:9",
    "--data",
    folder,
  ]);
  assert.deepEqual([code, error.code], [1, "chain/unreachable"]);
  const usage = await failing(["app", "--rpc", "ftp://127.0.0.1"]);
  assert.equal(usage.code, 2);
});

test("the demo wallet is refused where money has value", async (context) => {
  const node = await startLocalNode({ chainId: 4242 });
  context.after(() => node.stop());
  const file = path.join(temporaryDirectory(context), "deployment.json");
  const chain = withAccount(await connectChain({ rpcUrl: node.rpcUrl }), testAccount(0));
  await deploy(chain, { file, acceptForgeableDevKey: true });
  const args = ["app", "--port", "0", "--rpc", node.rpcUrl, "--deployment", file, "--demo-wallet"];
  // started, not run to its end: without the check it would go on
  const { ready } = await startJson<{ error?: { code: string; field: string } }>(context, args);
  assert.deepEqual([ready.error?.code, ready.error?.field], ["app/not-local", "demo-wallet"]);
});

test("a build that is missing is stale", (context) => {
  assert.equal(isStale(path.join(temporaryDirectory(context), "none")), true);
});
