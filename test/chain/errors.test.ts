import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { type AbiParameter, encodeErrorResult } from "viem";
import { testAccount } from "../../runner/chain/accounts.ts";
import { connectChain, withAccount } from "../../runner/chain/connect.ts";
import { CONTRACT_ERRORS, contractError, when } from "../../runner/chain/errors.ts";
import { findEvents } from "../../runner/chain/events.ts";
import { adapterRegistryAbi, loraEscrowAbi } from "../../runner/chain/generated/abi.ts";
import { transact } from "../../runner/chain/transact.ts";
import { DeltapayError } from "../../runner/protocol/errors.ts";
import { bareChain, thrownBy } from "./localChain.ts";

const errors = [...loraEscrowAbi, ...adapterRegistryAbi].filter((item) => item.type === "error");

function sample({ type }: AbiParameter): unknown {
  if (type === "address") return "0x00000000000000000000000000000000000000aa";
  if (type === "bytes32") return `0x${"ab".repeat(32)}`;
  if (type === "string") return "signer";
  return /^uint(8|16|32)$/.test(type) ? 1 : 2n;
}

test("every custom error of the contracts has words and a code of its own", () => {
  const codes = new Set<string>();
  for (const { name, inputs } of errors) {
    const data = encodeErrorResult({ abi: errors, errorName: name, args: inputs.map(sample) as never });
    const error = contractError(data);
    assert.ok(error instanceof DeltapayError, name);
    assert.match(error.code, /^contract\/[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.doesNotMatch(`${error.message} ${error.hint ?? ""}`, /undefined|\[object/);
    codes.add(error.code);
  }
  assert.equal(codes.size, errors.length);
  assert.ok(CONTRACT_ERRORS.length >= errors.length);
});

test("a revert that is none of ours has no words", () => {
  assert.equal(contractError("0x12345678"), undefined);
  assert.equal(contractError("0x"), undefined);
});

test("times in messages are dates, and numbers where no date reaches", () => {
  assert.equal(when(0), "1970-01-01T00:00:00.000Z");
  assert.equal(when(2n ** 64n - 1n), "18446744073709551615");
});

test("a node that does not answer is named by its host; an access key in its address is not shown", async () => {
  const error = await thrownBy(connectChain({ rpcUrl: "http://127.0.0.1:9/v3/SECRETKEY?token=SECRETKEY" }));
  assert.equal(error.code, "chain/unreachable");
  assert.match(error.message, /127\.0\.0\.1:9/);
  assert.ok(
    !`${error.message}${JSON.stringify(error)}${error.stack}${String(error.cause)}`.includes("SECRETKEY"),
  );
});

test("a server that repeats the address in its refusal is not quoted with it", async (context) => {
  let rpcUrl = "";
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const error = { code: -32001, message: `no credit left at ${rpcUrl}` };
    response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, error }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  rpcUrl = `http://127.0.0.1:${(server.address() as { port: number }).port}/SECRETKEY`;
  const error = await thrownBy(connectChain({ rpcUrl }));
  assert.ok(error instanceof DeltapayError);
  assert.doesNotMatch(`${error.message}${JSON.stringify(error)}${error.stack}`, /SECRETKEY/);
});

test("a node's answer that is no number or list is the node's fault, in words", async (context) => {
  let result: unknown;
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += String(part);
    const { id, method } = JSON.parse(body) as { id: number; method: string };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: method === "eth_chainId" ? "0x1" : result }));
  }).listen(0, "127.0.0.1");
  context.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const deployment = { escrow: testAccount(0).address, registry: testAccount(0).address, startBlock: 0n };
  const chain = { ...(await connectChain({ rpcUrl: `http://127.0.0.1:${port}` })), deployment };
  for (result of [null, "0xzz", "", {}]) {
    const error = await thrownBy(findEvents(chain as never, "escrow", "AgreementOpened", {}));
    assert.equal(error.code, "chain/unreadable", JSON.stringify(result));
    assert.match(error.message, /127\.0\.0\.1/);
  }
});

test("an address that is no URL is refused before anything is sent", async () => {
  for (const rpcUrl of ["", "localhost:8545", "ws://127.0.0.1:8545", "file:///etc/passwd"])
    assert.equal((await thrownBy(connectChain({ rpcUrl }))).code, "chain/bad-url");
});

test("without an account nothing is sent; without money the error says so", async () => {
  const chain = await bareChain();
  const call = { to: testAccount(0).address, data: "0x" } as const;
  assert.equal((await thrownBy(transact(chain, call))).code, "account/missing");
  const { generatePrivateKey, privateKeyToAccount } = await import("viem/accounts");
  const poor = withAccount(chain, privateKeyToAccount(generatePrivateKey()));
  const error = await thrownBy(transact(poor, { ...call, value: 1n }));
  assert.equal(error.code, "chain/insufficient-funds");
});
