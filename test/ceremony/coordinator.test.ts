/** The coordinator over HTTP, with participants who behave and others who do not. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import * as path from "node:path";
import { after, test } from "node:test";
import { Coordinator } from "../../runner/ceremony/coordinator/coordinator.ts";
import { MAX_PIECE, MAX_PIECES, serveCoordinator } from "../../runner/ceremony/coordinator/server.ts";
import { CoordinatorClient } from "../../runner/ceremony/coordinatorClient.ts";
import type { CeremonyFolder } from "../../runner/ceremony/folder.ts";
import { type JoinOptions, joinCeremony } from "../../runner/ceremony/join.ts";
import { nextKey, secretStep } from "../../runner/ceremony/step.ts";
import { verifyCeremony } from "../../runner/ceremony/verify.ts";
import { concatBytes } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { DeltapayError } from "../../runner/protocol/errors.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { rawAnswer } from "../wire/raw.ts";
import { begun, contributeByHand, makePtau, SIZE, withLast } from "./setting.ts";

const curve = await loadCurve();
const ptau = await makePtau(4);

after(() => curve.terminate());

interface Context {
  after(work: () => void | Promise<void>): void;
}

interface Setting {
  folder: CeremonyFolder;
  coordinator: Coordinator;
  client: CoordinatorClient;
  initial: Uint8Array;
  join(name: string, options?: Partial<JoinOptions>): ReturnType<typeof joinCeremony>;
}

async function served(context: Context, limits: object = {}, trustProxy = false): Promise<Setting> {
  const folder = await begun(context, ptau);
  const coordinator = await Coordinator.open(curve, folder, { acceptUnknownPtau: true, limits });
  const server = await serveCoordinator(coordinator, { trustProxy });
  context.after(() => server.close());
  const { url } = server;
  return {
    folder,
    coordinator,
    client: new CoordinatorClient(url),
    initial: coordinator.key(SIZE).initial,
    join: (name, options = {}) =>
      joinCeremony(curve, {
        url,
        name,
        directory: path.join(temporaryDirectory(context), "own"),
        step: secretStep(name, ""),
        acceptUnknownPtau: true,
        pollMs: 20,
        ...options,
      }),
  };
}

/** Sends a key in one piece and asks for it to be taken. */
async function submit(client: CoordinatorClient, name: string, zkey: Uint8Array): Promise<unknown> {
  const ticket = await client.join(name);
  await client.send(ticket, SIZE, 0, zkey);
  return client.finish(ticket);
}

test("three take part at once: each gets a turn, and the whole verifies with their attestations", async (context) => {
  const { folder, join } = await served(context);
  const made = await Promise.all(["Ada", "Bob", "Carol"].map((name) => join(name)));
  assert.deepEqual(made.map(({ round }) => round).sort(), [1, 2, 3]);
  const report = await verifyCeremony(curve, folder, {
    acceptUnknownPtau: true,
    attestations: made.map(({ attestation }) => attestation),
  });
  assert.equal(report.verdict, "passed");
  assert.equal(report.contributions, 3);
});

test("a contribution that is not right is refused by name, costs the turn and changes nothing", async (context) => {
  const { client, coordinator, folder, initial, join } = await served(context);
  const good = await nextKey(curve, initial, initial, secretStep("Eve", ""));
  const other = await nextKey(curve, initial, initial, secretStep("Eve", ""));
  const wrong = withLast(good, { g2spx: coordinator.key(SIZE).zkey.slice(0, 128) });
  await assert.rejects(submit(client, "Eve", wrong), { code: /^key\// });
  await assert.rejects(submit(client, "Eve", initial), { code: "ceremony/nothing-added" });
  await assert.rejects(submit(client, "Mallory", good), { code: "ceremony/other-name" });
  const endless = concatBytes(Uint8Array.of(1, 3, 69, 118, 101, 2, 20, 3, 32), new Uint8Array(32).fill(1));
  const beacon = await contributeByHand(curve, initial, 5n, { parameters: endless, type: 1 });
  await assert.rejects(submit(client, "Eve", beacon), { code: "ceremony/other-name" });
  assert.equal(folder.round(), 0);
  await join("Ada");
  await assert.rejects(submit(client, "Eve", other), { code: "ceremony/not-a-continuation" });
  assert.equal(folder.round(), 1);
  assert.deepEqual(fs.readdirSync(folder.file(".uploads")), []);
});

test("a contribution that all who come after would refuse is not taken", async (context) => {
  const { client, folder, initial, join } = await served(context);
  // the version of the container, which snarkjs alone looks at
  const good = await nextKey(curve, initial, initial, secretStep("Eve", ""));
  const newer = good.slice();
  newer[4] = 3;
  await assert.rejects(submit(client, "Eve", newer), { code: "key/not-from-initial" });
  // two secrets that cancel: delta is the generator again, which no key may have
  const parameters = Uint8Array.of(1, 3, 69, 118, 101);
  const there = await contributeByHand(curve, initial, 5n, { parameters });
  const back = await contributeByHand(curve, there, curve.Fr.toObject(curve.Fr.inv(curve.Fr.e(5n))), {
    parameters,
  });
  await submit(client, "Eve", there);
  await assert.rejects(submit(client, "Eve", back), { code: "key/bad-delta" });
  assert.equal(folder.round(), 1);
  assert.equal((await join("Ada")).round, 2);
});

test("an upload goes on where it ended, only at its turn, and never beyond its size", async (context) => {
  const { client, initial } = await served(context);
  const zkey = await nextKey(curve, initial, initial, secretStep("Ada", ""));
  const [ada, bob] = [await client.join("Ada"), await client.join("Bob")];
  await assert.rejects(client.send(bob, SIZE, 0, zkey), { code: "ceremony/not-your-turn" });
  await assert.rejects(client.finish(bob), { code: "ceremony/not-your-turn" });
  assert.equal(await client.send(ada, SIZE, 0, zkey.subarray(0, 1000)), 1000);
  await assert.rejects(client.send(ada, SIZE, 0, zkey), { code: "ceremony/wrong-offset" });
  await assert.rejects(client.send(ada, SIZE, 2000, zkey), { code: "ceremony/wrong-offset" });
  await assert.rejects(client.send(ada, 30, 0, zkey), { code: "ceremony/unknown-size" });
  assert.deepEqual((await client.place(ada)).received, { [SIZE]: 1000 });
  const much = new Uint8Array(100_000);
  await assert.rejects(client.send(ada, SIZE, 1000, much), { code: "ceremony/upload-too-large" });
  await assert.rejects(client.send(ada, SIZE, 1000, new Uint8Array(MAX_PIECE + 1)), {
    code: "wire/too-large",
  });
  await client.send(ada, SIZE, 1000, zkey.subarray(1000));
  assert.equal((await client.finish(ada)).round, 1);
  await assert.rejects(client.finish(ada), { code: "ceremony/unknown-ticket" });
  await assert.rejects(client.finish(bob), { code: "ceremony/incomplete" });
});

test("what was uploaded by those who left does not stay on the disk", async (context) => {
  const { client, folder } = await served(context);
  for (const name of ["Ada", "Bob", "Carol"]) {
    const ticket = await client.join(name);
    await client.send(ticket, SIZE, 0, new Uint8Array(1000));
    await client.leave(ticket);
  }
  assert.equal(fs.readdirSync(folder.file(".uploads")).length, 1);
});

/** The head of a piece's upload and one byte of it; what is answered before the rest. */
async function beginPiece(context: Context, url: string, ticket: string): Promise<() => string> {
  const { hostname, port } = new URL(url);
  const socket: Socket = connect({ host: hostname, port: Number(port) });
  context.after(() => void socket.destroy());
  let answer = "";
  socket.on("data", (bytes) => {
    answer += bytes.toString();
  });
  const head = [
    `PUT /v1/keys/${SIZE} HTTP/1.1`,
    "Host: c",
    `Authorization: Bearer ${ticket}`,
    "Upload-Offset: 0",
    "Content-Type: application/octet-stream",
    `Content-Length: ${MAX_PIECE}`,
  ];
  await new Promise<void>((resolve) => socket.write(`${head.join("\r\n")}\r\n\r\nx`, () => resolve()));
  return () => answer;
}

test("a piece is refused before it is read: from those without the turn, and beyond a few at once", async (context) => {
  const { client } = await served(context);
  const [ada, bob] = [await client.join("Ada"), await client.join("Bob")];
  const stranger = await beginPiece(context, client.url, "0".repeat(64));
  const waiting = await beginPiece(context, client.url, bob);
  const held: (() => string)[] = [];
  for (let i = 0; i <= MAX_PIECES; i++) held.push(await beginPiece(context, client.url, ada));
  const answered = (): string[] => [stranger(), waiting(), held.map((answer) => answer()).join("")];
  for (let tries = 0; tries < 100 && answered().includes(""); tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.match(stranger(), / 401 .*unknown-ticket/s);
  assert.match(waiting(), / 409 .*not-your-turn/s);
  assert.match(answered()[2]!, / 409 .*uploads-at-once/s);
  assert.equal(held.filter((answer) => answer() !== "").length, 1);
});

test("behind a proxy a client is who the proxy says, and an IPv6 network is one", async (context) => {
  const { client } = await served(context, { maxPerAddress: 1 }, true);
  const join = async (forwarded: string): Promise<number> => {
    const headers = { "content-type": "application/json", "x-forwarded-for": forwarded };
    const body = JSON.stringify({ name: "Ada" });
    return (await fetch(`${client.url}/v1/queue`, { method: "POST", headers, body })).status;
  };
  assert.equal(await join("10.0.0.1, 192.0.2.1"), 201);
  assert.equal(await join("10.0.0.2, 192.0.2.1"), 503);
  assert.equal(await join("2001:db8::1"), 201);
  assert.equal(await join("2001:db8::a:b:c:d"), 503);
  assert.equal(await join("2001:db8:0:1::1"), 201);
});

test("who stalls loses the turn, and the next contributes", async (context) => {
  const { client, join, folder } = await served(context, { silenceSeconds: 3 });
  const stalled = await client.join("Stalled");
  assert.equal((await client.place(stalled)).position, 0);
  await join("Ada");
  assert.equal(folder.round(), 1);
  await assert.rejects(client.place(stalled), { code: "ceremony/turn-lost" });
});

test("requests that cannot be meant are refused", async (context) => {
  const { client } = await served(context);
  await assert.rejects(client.join("line\nbreak"), { code: "ceremony/bad-name" });
  const ask = async (at: string, init?: RequestInit): Promise<[number, string]> => {
    const response = await fetch(`${client.url}${at}`, init);
    return [response.status, ((await response.json()) as { error: { code: string } }).error.code];
  };
  const json = { "content-type": "application/json" };
  const post = (body: string): RequestInit => ({ method: "POST", headers: json, body });
  assert.deepEqual(await ask("/v1/queue"), [401, "ceremony/unknown-ticket"]);
  assert.deepEqual(await ask("/v1/queue", post('{"name":3}')), [400, "wire/malformed"]);
  assert.deepEqual(await ask("/v1/queue", post('{"name":"a","b":1}')), [400, "wire/malformed"]);
  assert.deepEqual(await ask("/v1/queue", post("{")), [400, "wire/bad-request"]);
  assert.deepEqual(await ask("/v1/queue", post("x".repeat(5000))), [413, "wire/too-large"]);
  assert.deepEqual(await ask("/v1/rounds/0/14"), [404, "wire/not-found"]);
  assert.deepEqual(await ask("/v1/rounds/../14"), [404, "wire/not-found"]);
  assert.deepEqual(await ask("/v1/%zz"), [400, "wire/bad-request"]);
  const both =
    "POST /v1/queue HTTP/1.1\r\nHost: c\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}";
  assert.equal(await rawAnswer(client.url, both), "400 wire/bad-request");
  assert.deepEqual(await ask("/v1/circuits/15"), [400, "ceremony/unknown-size"]);
  assert.deepEqual(await ask("/v1/ptau", { headers: { range: "bytes=999999999-" } }), [
    400,
    "wire/bad-request",
  ]);
});

test("a participant who was interrupted sends what it had made", async (context) => {
  const { client, folder, join } = await served(context);
  const directory = path.join(temporaryDirectory(context), "own");
  let made = 0;
  const step: JoinOptions["step"] = (zkey, to) => {
    made++;
    return secretStep("Ada", "")(zkey, to);
  };
  const options = { directory, step };
  // the network goes away as soon as there is something to send
  const stopped = join("Ada", {
    ...options,
    onProgress: (label) => {
      if (label === "sending keys") throw new Error("power cut");
    },
  });
  await assert.rejects(stopped, /power cut/);
  assert.equal(folder.round(), 0);
  assert.equal((await client.view()).waiting, 0, "it left the queue");
  await join("Ada", options);
  assert.equal(made, 1);
  assert.equal(folder.round(), 1);
});

test("a participant who was overtaken contributes to the key as it is now", async (context) => {
  const { folder, join } = await served(context);
  const directory = path.join(temporaryDirectory(context), "own");
  const stopped = join("Ada", {
    directory,
    onProgress: (label) => {
      if (label === "sending keys") throw new Error("power cut");
    },
  });
  await assert.rejects(stopped, /power cut/);
  await join("Bob");
  await join("Ada", { directory });
  assert.equal(folder.round(), 2);
  assert.equal((await verifyCeremony(curve, folder, { acceptUnknownPtau: true })).verdict, "passed");
});

test("a download that was cut goes on, and one that is damaged is refused", async (context) => {
  const { join } = await served(context);
  const directory = path.join(temporaryDirectory(context), "own");
  fs.mkdirSync(path.join(directory, ".download"), { recursive: true });
  fs.writeFileSync(path.join(directory, ".download", "powers.ptau"), ptau.subarray(0, 5000));
  await join("Ada", { directory });
  const other = path.join(temporaryDirectory(context), "own");
  fs.mkdirSync(path.join(other, ".download"), { recursive: true });
  fs.writeFileSync(path.join(other, ".download", "powers.ptau"), new Uint8Array(5000));
  await assert.rejects(join("Bob", { directory: other }), { code: "ceremony/damaged" });
  await join("Bob", { directory: other });
});

test("a coordinator that hands out a wrong key gets no contribution", async (context) => {
  const { folder, coordinator, join } = await served(context);
  await join("Ada");
  const file = folder.roundFile(1, `${SIZE}.zkey`);
  const bad = withLast(coordinator.key(SIZE).zkey, { transcript: new Uint8Array(64) });
  const view = coordinator.view();
  fs.writeFileSync(file, bad);
  const { createHash } = await import("node:crypto");
  const sha256 = `0x${createHash("sha256").update(bad).digest("hex")}` as const;
  coordinator.view = () => ({ ...view, keys: [{ size: SIZE, bytes: bad.length, sha256 }] });
  await assert.rejects(join("Bob"), { code: "ceremony/other-transcript" });
});

test("powers of tau larger than any that are taken are not even fetched", async (context) => {
  const { coordinator, join } = await served(context);
  const view = coordinator.view();
  const { parameters } = view;
  coordinator.view = () => ({
    ...{ ...view, ptauBytes: 2 ** 38 },
    parameters: { ...parameters, ptau: { ...parameters.ptau, power: 28 } },
  });
  await assert.rejects(join("Ada"), { code: "ceremony/malformed" });
});

test("who is told of another contribution than its own learns where its attestation is", async (context) => {
  const { coordinator, join } = await served(context);
  const directory = path.join(temporaryDirectory(context), "own");
  const accept = coordinator.accept.bind(coordinator);
  coordinator.accept = async (ticket) => ({ ...(await accept(ticket)), attestation: "another" });
  const error = await join("Ada", { directory }).catch((thrown: DeltapayError) => thrown);
  assert.ok(error instanceof DeltapayError && error.code === "ceremony/left-out");
  assert.match(fs.readFileSync(error.field!, "utf8"), /contribution of "Ada"/);
});

test("a coordinator that answers nonsense, or for ever, is refused", async (context) => {
  let answer = "{}";
  const server = createServer((_, response) => response.end(answer));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => void server.close());
  const client = new CoordinatorClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await assert.rejects(client.view(), { code: "ceremony/malformed" });
  answer = "x".repeat(10_000);
  await assert.rejects(client.view(), { code: "ceremony/malformed" });
  await assert.rejects(
    async () => {
      for await (const _ of client.file("/v1/ptau", 0, 5000));
    },
    { code: "ceremony/too-long" },
  );
  assert.throws(() => new CoordinatorClient("file:///etc/passwd"), { code: "ceremony/bad-url" });
});
