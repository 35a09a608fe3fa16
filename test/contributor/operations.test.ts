/** What whoever runs the service is told: counts that are right, health that is true, and never a secret. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { openLog } from "../../runner/cli/serveLog.ts";
import { HealthMonitor } from "../../runner/contributor/operations/health.ts";
import { serviceLog } from "../../runner/contributor/operations/log.ts";
import { startOperations } from "../../runner/contributor/operations/server.ts";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { DeltapayError } from "../../runner/protocol/errors.ts";
import { PATHS } from "../../runner/wire/paths.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { ask, type TestBuyer } from "./buyer.ts";
import { Captured, type Operated, operated } from "./operated.ts";
import { addAdapterSecrets, addSecret, Secrets, watchBuyer } from "./secrets.ts";
import { until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const ETH = "0x0000000000000000000000000000000000000000";

const settled = async ({ data }: Operated, { agreementId }: TestBuyer): Promise<void> =>
  until(
    () => new AgreementStore(data.database).get(agreementId).phase === "settled",
    "the settlement of the session",
  );

/** A buyer who pays for two passes, one who signs what is not due, one who has yet to pay. */
async function business(contributor: Operated, watch: (buyer: TestBuyer) => void = () => {}) {
  const opened = async (): Promise<TestBuyer> => {
    const buyer = await contributor.buyer();
    watch(buyer);
    assert.equal((await buyer.open()).status, 201);
    return buyer;
  };
  const [honest, liar, owing] = [await opened(), await opened(), await opened()];
  await honest.pass(2);
  await honest.pass(3);
  assert.equal((await honest.pay()).status, 200);
  await honest.end();
  await settled(contributor, honest);
  await liar.pass(1);
  const refused = await liar.sendReceipt({ ...(await liar.receipt()), tokens: 0n });
  assert.equal(refused.code, "receipt/wrong-tokens");
  await owing.pass(4);
  assert.equal((await owing.pay()).status, 200);
  return { honest, liar, owing };
}

test("metrics count passes, receipts, proofs, settlements and money", async (context) => {
  const contributor = await operated(context);
  await business(contributor);
  const found = await contributor.metrics();
  const adapter = `{adapter="${contributor.adapterId}"}`;
  const expected: Record<string, number> = {
    deltapay_sessions_opened_total: 3,
    deltapay_passes_total: 4,
    deltapay_tokens_total: 10,
    deltapay_receipts_total: 2,
    'deltapay_receipts_refused_total{code="receipt/wrong-tokens"}': 1,
    deltapay_settlements_total: 1,
    deltapay_proof_duration_seconds_count: 2,
    deltapay_receipt_check_duration_seconds_count: 2,
    'deltapay_agreements{phase="serving"}': 1,
    'deltapay_agreements{phase="settled"}': 1,
    deltapay_settlement_queue: 0,
    [`deltapay_settled{token="${ETH}"}`]: 50,
    [`deltapay_owed{token="${ETH}"}`]: 40,
    [`deltapay_leakage_tokens_sold${adapter}`]: 10,
    [`deltapay_leakage_ratio${adapter}`]: 10 / 3,
    deltapay_ready: 1,
    'deltapay_http_request_duration_seconds_count{method="POST",route="/v1/session/passes/:pass",status="200"}': 8,
  };
  assert.deepEqual(
    Object.fromEntries(Object.keys(expected).map((name) => [name, found.get(name)])),
    expected,
  );
  assert.ok(found.get("deltapay_chain_head_age_seconds")! < 5);
  assert.ok(found.get("deltapay_disk_free_bytes")! > 0);
});

/** Sends a request with any method and host. */
function send(url: string, options: http.RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: false, ...options }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode!));
    });
    request.on("error", reject).end();
  });
}

test("no stranger's text and no party's name is a label", async (context) => {
  const contributor = await operated(context);
  const buyer = await contributor.buyer();
  await buyer.open();
  await buyer.pass(1);
  const { url } = contributor.service;
  await send(`${url}/of-a-stranger?of-a-stranger`, { method: "PROPFIND" });
  await send(`${url}/v1/adapters/of-a-stranger/manifest`, { method: "GET" });
  await send(`${url}/of-a-stranger`, {
    method: "SEARCH",
    headers: { authorization: "Bearer of-a-stranger" },
  });
  const rows = [...(await contributor.metrics()).keys()];
  const requests = rows.filter((row) => row.startsWith("deltapay_http_request_duration_seconds_count"));
  const methods = requests.map((row) => /method="([^"]*)"/.exec(row)?.[1]);
  assert.deepEqual([...new Set(methods)].sort(), ["GET", "POST", "other"]);
  const text = rows.join("\n");
  for (const name of ["of-a-stranger", "PROPFIND", buyer.agreementId, buyer.signer.address])
    assert.ok(!text.toLowerCase().includes(name.toLowerCase()), name);
});

test("health and metrics are for this machine only, and only to be read", async (context) => {
  const contributor = await operated(context);
  const { url } = contributor;
  const { port } = new URL(url);
  assert.equal(await send(`${url}/healthz`, {}), 200);
  assert.equal(await send(`${url}/healthz`, { headers: { host: `localhost:${port}` } }), 200);
  // a name that was made to point here, and one that only looks like here
  for (const host of [`rebound.example:${port}`, "127.0.0.1", `127.0.0.1.nip.io:${port}`, "127.0.0.1:1"])
    for (const page of ["/metrics", "/healthz", "/livez"])
      assert.equal(await send(url + page, { headers: { host } }), 403, `${host}${page}`);
  assert.equal(await send(`${url}/metrics`, { method: "POST" }), 405);
  assert.equal(await send(`${url}/metrics/../vault`, {}), 404);
  const again = startOperations({
    port: Number(port),
    metrics: async () => "",
    health: contributor.service.health,
  });
  await assert.rejects(again, { code: "operations/port-in-use" });
});

test("health follows the chain: unready while it is silent, ready when it is back; livez is for the process", async (context) => {
  const contributor = await operated(context, { healthMs: 20 });
  const { url, chain, service } = contributor;
  const status = async (at: string): Promise<number> => (await ask(at)).status;
  assert.equal(await status(`${url}/healthz`), 200);
  const { time } = chain;
  chain.time = () => Promise.reject(new DeltapayError("chain/unreachable", "no answer"));
  await until(async () => (await status(`${url}/healthz`)) === 503, "unready");
  assert.deepEqual((await ask(`${url}/healthz`)).json["problems"], ["the chain does not answer"]);
  assert.equal(await status(service.url + PATHS.health), 503);
  assert.equal(await status(`${url}/livez`), 200);
  assert.equal((await contributor.metrics()).get("deltapay_ready"), 0);
  chain.time = time;
  await until(async () => (await status(`${url}/healthz`)) === 200, "ready again");
  await service.close();
  assert.deepEqual((await ask(`${url}/healthz`)).json["problems"], ["stopping"]);
});

test("a chain that hangs or is behind, and a folder that takes no writes, are told", async (context) => {
  const directory = path.join(temporaryDirectory(context), "data");
  fs.mkdirSync(directory);
  const clock = { age: 0 };
  const time = async (): Promise<bigint> => BigInt(Math.floor(Date.now() / 1000) - clock.age);
  const problems = async (chain: { chainId: bigint; time(): Promise<bigint> }): Promise<string[]> => {
    const monitor = new HealthMonitor({ chain, directory, timeoutMs: 50 });
    assert.equal(monitor.newest.ready, false);
    await monitor.look();
    assert.equal(monitor.newest.ready, monitor.newest.problems.length === 0);
    return monitor.newest.problems;
  };
  assert.deepEqual(await problems({ chainId: 1n, time }), []);
  assert.deepEqual(fs.readdirSync(directory), []);
  assert.deepEqual(await problems({ chainId: 1n, time: () => new Promise(() => {}) }), [
    "the chain does not answer",
  ]);
  clock.age = 1000;
  assert.match((await problems({ chainId: 1n, time })).join(), /^the newest block is 100[01] s old$/);
  // A local chain makes blocks when asked.
  assert.deepEqual(await problems({ chainId: 31337n, time }), []);
  fs.rmSync(directory, { recursive: true });
  fs.writeFileSync(directory, "");
  assert.deepEqual(await problems({ chainId: 31337n, time }), ["the data folder cannot be written to"]);
});

test("no log and no metric holds a secret, whatever happens", async (context) => {
  const contributor = await operated(context);
  const { chain, data, adapterId, lines, events } = contributor;
  const secrets = new Secrets();
  addAdapterSecrets(secrets, data, adapterId);
  const rpcKey = "5f0c1e9a-key-of-the-node";
  addSecret(secrets, "key of the chain's node", rpcKey);
  const { owing } = await business(contributor, (buyer) => watchBuyer(secrets, buyer));
  const { readAgreement } = chain;
  chain.readAgreement = () =>
    Promise.reject(new Error(`fetch failed: https://user:${rpcKey}@rpc.example/v3/${rpcKey}?k=${rpcKey}`));
  await owing.send(2, owing.request([0, 1], 1).body);
  await until(() => events.some(({ type }) => type === "failed"), "word of it");
  chain.readAgreement = readAgreement;
  await owing.end();
  await settled(contributor, owing);
  const page = [...(await contributor.metrics())].flat().join("\n");
  const text = lines.join("\n");
  assert.ok(secrets.size > 100, `${secrets.size} secrets`);
  for (const type of ["session-opened", "pass", "receipt", "receipt-refused", "proving", "settled", "failed"])
    assert.ok(text.includes(`"type":"${type}"`), type);
  assert.ok(text.includes('"route":"/v1/session/passes/:pass"'));
  assert.match(text, /fetch failed: rpc\.example/);
  assert.deepEqual(secrets.in(text), []);
  assert.deepEqual(secrets.in(page), []);
});

test("a log file on a full disk is told of once and stops nothing", {
  skip: fs.existsSync("/dev/full") ? false : "there is no /dev/full here",
}, (context) => {
  const logFile = path.join(temporaryDirectory(context), "service.log");
  fs.symlinkSync("/dev/full", logFile);
  const lines: string[] = [];
  const log = openLog({ logFormat: "pretty", logLevel: "debug", logFile }, new Captured(lines));
  for (let i = 0; i < 3; i++) {
    log.event({ type: "listening", url: "http://127.0.0.1:7420" });
    log.answered({ method: "GET", route: PATHS.service, status: 200, ms: 1 });
    log.note("stopping");
  }
  const told = lines.filter((line) => line.includes("the log file takes no lines: ENOSPC"));
  assert.equal(told.length, 1);
  assert.equal(lines.length, 7);
});

test("lines that nobody reads any more, or that find a full disk, stop nothing", async () => {
  const own = (file: string): string =>
    JSON.stringify(new URL(`../../runner/cli/${file}`, import.meta.url).href);
  const lines = `
    const { openLog } = await import(${own("serveLog.ts")});
    const { Output } = await import(${own("output.ts")});
    const log = openLog({ logLevel: "info", logFormat: process.argv[1] }, new Output({}));
    for await (const _ of process.stdin) log.note("a line");
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log("served on");`;
  const full = fs.existsSync("/dev/full") ? [fs.openSync("/dev/full", "w")] : [];
  for (const stderr of ["pipe", ...full] as const)
    for (const format of ["pretty", "json"]) {
      const arguments_ = ["--input-type=module", "-e", lines, format];
      const child = spawn(process.execPath, arguments_, { stdio: ["pipe", "pipe", stderr] });
      child.stderr?.destroy();
      const said = text(child.stdout!);
      child.stdin!.end("one");
      assert.equal(await said, "served on\n", `${format} to ${stderr}`);
    }
  for (const descriptor of full) fs.closeSync(descriptor);
});

test("a field named as a secret is blanked wherever a mistake puts it", () => {
  const lines: string[] = [];
  const log = serviceLog({ write: (line) => lines.push(line) }, "debug");
  const value = "must not be written";
  log.info({ type: "pass", seed: value, inner: { passSalt: value, deep: { authorization: value } } });
  log.warn({ adapter: { weights: value, scales: value }, witness: value, passphrase: value });
  log.error({ err: new Error(value) });
  log.error(new Error(value));
  log.debug({ request: { headers: { authorization: `Bearer ${value}` } }, privateKey: value });
  assert.ok(!lines.join("").includes(value), lines.join(""));
  assert.equal(lines.length, 5);
  assert.equal(JSON.parse(lines[0]!).inner.passSalt, "[secret]");
});
