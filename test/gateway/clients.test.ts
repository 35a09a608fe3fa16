/** Clients that leave, crowd or do not read, on a real server; the model generates when the test says so. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { MAX_UNREAD } from "../../runner/gateway/clients.ts";
import type { ServedModel } from "../../runner/gateway/models.ts";
import { Purse } from "../../runner/gateway/purse.ts";
import { buildGateway, MAX_CONNECTIONS } from "../../runner/gateway/server.ts";
import { MAX_WAITING } from "../../runner/gateway/turns.ts";
import type { Generated, GenerateOptions } from "../../runner/model/generate.ts";
import type { Tokenizer } from "../../runner/model/tokenizer.ts";

interface Context {
  after(work: () => void | Promise<void>): void;
}

/** A generation under way. */
interface Running {
  options: GenerateOptions;
  end(): void;
}

const tokenizer = { encode: () => [1], decode: () => "", endIds: [] } as unknown as Tokenizer;

async function serving(context: Context) {
  const running: Running[] = [];
  const model = (id: string, paid: boolean): ServedModel => ({
    id,
    paid,
    generate: (options) =>
      new Promise<Generated>((resolve) => {
        const end = (): void => resolve({ text: "", ids: [1, 2], added: 1, reason: "length" });
        options.signal!.addEventListener("abort", end, { once: true });
        running.push({ options, end });
      }),
  });
  const models = [model("adapted", true), model("base", false)];
  const access = { apiKey: undefined, hosts: ["127.0.0.1"] };
  const gateway = buildGateway({ models, tokenizer, purse: new Purse([], undefined), access });
  await gateway.app.listen({ host: "127.0.0.1", port: 0 });
  context.after(() => gateway.close());
  const { port } = gateway.app.server.address() as { port: number };
  return { running, port, gateway };
}

function request(asked: object = {}): string {
  const body = JSON.stringify({ model: "adapted", prompt: "a", ...asked });
  const head = ["POST /v1/completions HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"];
  return `${head.join("\r\n")}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** A connection with what was answered on it. */
function opened(context: Context, port: number): { socket: Socket; answered: () => string } {
  const socket = connect({ host: "127.0.0.1", port });
  context.after(() => void socket.destroy());
  let answered = "";
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    answered += bytes.toString();
  });
  return { socket, answered: () => answered };
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    assert.ok(tries < 250, `waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("of a connection that is closed nothing is generated any more, what waits in its pipeline included", async (context) => {
  const { running, port } = await serving(context);
  const leaving = opened(context, port);
  leaving.socket.write(request().repeat(3));
  await until(() => running.length === 1, "the first generation");
  const next = opened(context, port);
  next.socket.write(request({ user: "next" }));
  leaving.socket.destroy();
  await until(() => running.length === 2, "the next client's generation");
  assert.ok(running[0]!.options.signal!.aborted);
  assert.ok(!running[1]!.options.signal!.aborted);
  running[1]!.end();
  await until(() => /"finish_reason":"length"/.test(next.answered()), "its answer");
  assert.equal(running.length, 2);
});

test("places of those who gave up waiting are free at once, those of others are not", async (context) => {
  const { running, port } = await serving(context);
  opened(context, port).socket.write(request());
  await until(() => running.length === 1, "a generation");
  const crowd = Array.from({ length: MAX_WAITING }, () => opened(context, port));
  for (const { socket } of crowd) socket.write(request());
  let refused = opened(context, port);
  await until(() => {
    if (refused.answered() === "") refused.socket.write(request());
    return / 429 /.test(refused.answered());
  }, "a refusal");
  for (const { socket } of [...crowd, refused]) socket.destroy();
  refused = opened(context, port);
  await new Promise((resolve) => setTimeout(resolve, 200));
  refused.socket.write(request());
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(refused.answered(), "");
  assert.equal(running.length, 1);
  running[0]!.end();
  await until(() => running.length === 2, "the turn of who came after");
});

test("a contributor that lets a pass hang does not stop the free model", async (context) => {
  const { running, port } = await serving(context);
  opened(context, port).socket.write(request());
  await until(() => running.length === 1, "the paid generation");
  opened(context, port).socket.write(request({ model: "base" }));
  await until(() => running.length === 2, "the free one");
});

test("who reads nothing of a stream is left, and no more is generated for it", async (context) => {
  const { running, port } = await serving(context);
  const { socket } = opened(context, port);
  socket.pause();
  socket.write(request({ stream: true }));
  await until(() => running.length === 1, "a generation");
  const { options } = running[0]!;
  // More than the kernel's buffers hold.
  for (let sent = 0; sent < 32 * MAX_UNREAD && !options.signal!.aborted; sent += 100_000) {
    options.onText!("x".repeat(100_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => options.signal!.aborted, "the end of it");
});

test("connections are bounded, and so is the time of a request", async (context) => {
  const { port, gateway } = await serving(context);
  const { headersTimeout, requestTimeout } = gateway.app.server;
  assert.ok(headersTimeout > 0 && headersTimeout <= 10_000 && requestTimeout > 0 && requestTimeout <= 30_000);
  const all = Array.from({ length: MAX_CONNECTIONS + 20 }, () => opened(context, port).socket);
  await until(() => all.filter(({ closed }) => closed).length >= 20, "refusals");
  assert.equal(all.filter(({ closed }) => !closed).length, MAX_CONNECTIONS);
});
