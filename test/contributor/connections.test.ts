import assert from "node:assert/strict";
import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import { after, test } from "node:test";
import { transport } from "../../runner/contributor/listen.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { clientOf } from "../../runner/wire/clientAddress.ts";
import { PATHS } from "../../runner/wire/paths.ts";
import { ask } from "./buyer.ts";
import { served, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const HALF_A_REQUEST = `GET ${PATHS.health} HTTP/1.1\r\nHost: x\r\n`;

/** Sockets from one address that each send half a request, and how many of them are open. */
function holdConnections(url: string, count: number): { sockets: net.Socket[]; open: () => number } {
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: count }, () => {
    const socket = net.connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.write(HALF_A_REQUEST);
    return socket.resume();
  });
  return { sockets, open: () => sockets.filter(({ readyState }) => readyState === "open").length };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await ask(url + PATHS.health)).status === 200;
  } catch {
    return false;
  }
}

test("one client's half-sent requests hold a share of the connections, others are served", async (context) => {
  const { service, buyer: newBuyer } = await served(context);
  const { sockets, open } = holdConnections(service.url, 1030);
  try {
    const opening = (): boolean => sockets.some(({ readyState }) => readyState === "opening");
    await until(() => !opening() && open() <= 256, "the end of what is too much");
    assert.equal(open(), 256);
    await assert.rejects(ask(service.url + PATHS.health), "the share is used up");
    const held = sockets.filter(({ readyState }) => readyState === "open");
    for (const socket of held.slice(0, 100)) socket.destroy();
    const buyer = await newBuyer();
    await until(() => answers(service.url), "an answer on what is free again");
    assert.equal((await buyer.open()).status, 201);
    await buyer.pass(2);
  } finally {
    // The service waits for requests that have begun when it closes.
    for (const socket of sockets) socket.destroy();
  }
});

test("a request that is not finished in time ends, one that is takes its place", async (context) => {
  const where = transport({});
  const server = where.createServer((_request, response) => response.end("whole"));
  // What `transport` allows is longer than a test should take.
  assert.ok(server.headersTimeout <= 10_000 && server.requestTimeout <= 120_000);
  server.headersTimeout = 300;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const { sockets, open } = holdConnections(`http://127.0.0.1:${port}`, 256);
  await until(() => open() === 256, "the connections");
  await until(() => open() === 0, "their end");
  const agent = new http.Agent();
  const [response] = (await once(http.get({ port, agent }), "response")) as [http.IncomingMessage];
  assert.equal(response.statusCode, 200);
  response.resume();
  for (const socket of sockets) socket.destroy();
});

test("an IPv6 network of 64 bits is one client however its addresses are written", () => {
  const all = ["2001:db8::a:b:c:d", "2001:db8::1", "2001:db8:0:0:1:2:3:4", "2001:db8::2:0:0:1"];
  assert.deepEqual([...new Set(all.map(clientOf))], ["2001:db8:0:0"]);
  assert.deepEqual(["::1", "fe80::1", "2001:db8:1:2:ffff::1"].map(clientOf), [
    "0:0:0:0",
    "fe80:0:0:0",
    "2001:db8:1:2",
  ]);
  assert.deepEqual(["1.2.3.4", "::ffff:1.2.3.4"].map(clientOf), ["1.2.3.4", "::ffff:1.2.3.4"]);
});
