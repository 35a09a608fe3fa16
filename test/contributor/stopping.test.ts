/** A service that ends takes nothing new, finishes what it began, and does not wait for ever. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import { ReceiptStore } from "../../runner/contributor/store/receipts.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { typedData } from "../../runner/protocol/typedData.ts";
import { stringifyMessage } from "../../runner/wire/messages.ts";
import { fillPath, PATHS } from "../../runner/wire/paths.ts";
import type { TestBuyer } from "./buyer.ts";
import { DOMAIN, type MemoryChain } from "./memoryChain.ts";
import { served, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

/** The chain answers no question about agreements until released. */
function hold(chain: MemoryChain): { asked: () => boolean; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const read = chain.readAgreement.bind(chain);
  let asked = false;
  chain.readAgreement = async (...args) => {
    asked = true;
    await promise;
    return read(...args);
  };
  return { asked: () => asked, release: resolve };
}

/** A connection of one's own, where requests follow each other without waiting for answers. */
function connected(context: { after(work: () => void): void }, url: string) {
  const socket: Socket = connect(Number(new URL(url).port), "127.0.0.1");
  context.after(() => void socket.destroy());
  socket.on("error", () => {});
  const ended = new Promise<string>((resolve) => {
    const parts: Buffer[] = [];
    socket.on("data", (part) => parts.push(part));
    socket.on("close", () => resolve(Buffer.concat(parts).toString("latin1")));
  });
  const write = ({ token }: TestBuyer, line: string, body: Uint8Array, type: string): void => {
    const head = [line, "host: x", `authorization: Bearer ${token}`, `content-type: ${type}`];
    socket.write(`${head.join("\r\n")}\r\ncontent-length: ${body.length}\r\n\r\n`);
    socket.write(body);
  };
  return {
    write,
    ended,
    begin: (text: string) => void socket.write(text),
    leave: () => socket.destroy(),
  };
}

test("a service that stops takes nothing new, finishes the answer under way, and stores it", async (context) => {
  const contributor = await served(context, { serve: { pollMs: 60_000 } });
  const { chain, service, data } = contributor;
  const buyer = await contributor.buyer();
  await buyer.open();
  const { asked, release } = hold(chain);
  const [answered, late] = [connected(context, service.url), connected(context, service.url)];
  const path = fillPath(PATHS.pass, { pass: 1 });
  const body = buyer.request([0, 1], 2);
  answered.write(buyer, `POST ${path} HTTP/1.1`, body.body, "application/octet-stream");
  // The beginning of a request, so that its connection is not an idle one.
  late.begin(`GET ${PATHS.session} HTTP/1.1\r\nhost: x\r\n`);
  await until(asked, "the pass");
  await sleep(50);
  const closing = service.close();
  late.begin(`authorization: Bearer ${buyer.token}\r\n\r\n`);
  await assert.rejects(fetch(service.url + PATHS.service));
  assert.match(await late.ended, /^HTTP\/1\.1 503 [\s\S]*wire\/stopping/);
  release();
  await closing;
  const answer = await answered.ended;
  assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.match(answer, /connection: close/i);
  const rows = data.database.prepare("SELECT count(*) AS n FROM pass").get() as { n: number };
  assert.equal(rows.n, 1);
});

test("a receipt under way is stored although its buyer has gone", async (context) => {
  const contributor = await served(context, { serve: { pollMs: 60_000 } });
  const { service, data } = contributor;
  const buyer = await contributor.buyer();
  await buyer.open();
  await buyer.pass(2);
  const receipt = await buyer.receipt();
  const signature = await buyer.signer.signTypedData(typedData(DOMAIN, "Receipt", receipt));
  const { sessions } = service;
  const accept = sessions.acceptReceipt.bind(sessions);
  let begun = false;
  sessions.acceptReceipt = async (...args) => {
    begun = true;
    await sleep(200);
    return accept(...args);
  };
  // Where it was not waited for, it ends before the curve's workers do.
  context.after(() => sleep(600));
  const { write, leave } = connected(context, service.url);
  const body = Buffer.from(stringifyMessage({ receipt, signature }));
  write(buyer, `POST ${PATHS.receipts} HTTP/1.1`, body, "application/json");
  await until(() => begun, "the receipt");
  leave();
  await service.close();
  assert.deepEqual(new ReceiptStore(data.database).newest(buyer.agreementId)?.receipt, receipt);
});

test("with a settlement that nobody mines the service ends in time; the next one settles it", async (context) => {
  const before = await served(context, { serve: { settle: true, stopMs: 300 } });
  const { chain, service, data } = before;
  const buyer = await before.buyer();
  await buyer.open();
  await buyer.pass(2);
  await buyer.pay();
  const settle = chain.settle.bind(chain);
  let sent = false;
  chain.settle = () => {
    sent = true;
    return new Promise(() => {});
  };
  await buyer.end();
  await until(() => sent, "the settlement's transaction");
  const started = performance.now();
  await service.close();
  assert.ok(performance.now() - started < 2000);
  chain.settle = settle;
  await served(context, { by: before, serve: { settle: true } });
  const phase = (): string => new AgreementStore(data.database).get(buyer.agreementId).phase;
  await until(() => phase() === "settled", "the settlement");
});
