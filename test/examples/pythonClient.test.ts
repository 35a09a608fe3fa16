/** A second implementation of the buyer, written from docs/protocol.md, against the real service and a real chain. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { testAccount } from "../../runner/chain/accounts.ts";
import { readAgreement } from "../../runner/chain/agreements.ts";
import { connect } from "../../runner/chain/connect.ts";
import { type LocalNode, startLocalNode } from "../../runner/chain/localNode.ts";
import { runCommand, startCommand } from "../../runner/demo/commands.ts";
import { FIXTURES } from "../../runner/demo/fixtures.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";

const at = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const CLIENT = at("examples/python-client/client.py");

/** Test account 2 of a Hardhat node: public. */
const BUYER_KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";

/** A Python with numpy and eth-account, or undefined. */
function findPython(): string | undefined {
  return [process.env["PYTHON"], "python3"].find(
    (python) => python !== undefined && spawnSync(python, ["-c", "import numpy, eth_account"]).status === 0,
  );
}

const python = findPython();
const skip =
  python === undefined &&
  "no Python with numpy and eth-account: pip install numpy eth-account, or set PYTHON";
if (skip !== false) console.error(`\n*** THE PYTHON CLIENT IS NOT TESTED: ${skip} ***\n`);

async function runClient(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(python!, [CLIENT, ...args], { env: { ...process.env, ...env } });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr.on("data", (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

test("every vector it knows comes out the same", { skip }, async () => {
  const { code, stdout, stderr } = await runClient(["--vectors", at("test/vectors/protocol.json")]);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^\d\d+ vectors, 0 differ/);
});

test("it opens an agreement, gets answers, and what it signs is proven and settled", {
  skip,
}, async (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), "deltapay-python-"));
  const node: LocalNode = await startLocalNode();
  context.after(async () => {
    await node.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const deploymentFile = path.join(folder, "deployment.json");
  const chain = ["--rpc", node.rpcUrl, "--deployment", deploymentFile];
  const contributor = [...chain, "--account", "1", "--data", path.join(folder, "contributor")];
  await runCommand(["deploy", ...chain]);
  await runCommand([
    ...["adapter", "register", FIXTURES.adapters["kjv-attn"], "--model", FIXTURES.model, ...contributor],
  ]);
  await runCommand([
    "offer",
    "make",
    "--price",
    "10wei",
    "--fee",
    "3wei",
    "--max-unpaid",
    "64",
    "--cap",
    "256",
    ...contributor,
  ]);
  const service = await startCommand<{ url: string }>(["serve", "--port", "0", ...contributor]);
  context.after(() => service.stop());

  const keys = JSON.parse(readFileSync(at("circuits/keys.json"), "utf8")) as { size: number; vkHash: Hex }[];
  const { code, stdout, stderr } = await runClient(
    [
      ...[service.result.url, "--rpc", node.rpcUrl, "--tokens", "3", "--passes", "2", "--seed", "7"],
      ...["--key", path.join(process.env["DELTAPAY_KEYS"] ?? at("build/keys"), "14", "commit-key.bin")],
      ...[
        "--vk-hash",
        keys.find(({ size }) => size === 14)!.vkHash,
        "--signer-file",
        path.join(folder, "signer"),
      ],
    ],
    { DELTAPAY_PRIVATE_KEY: BUYER_KEY },
  );
  assert.equal(code, 0, stderr);
  const result = JSON.parse(stdout) as { agreementId: Hex; tokens: number; settlement: Hex };
  assert.equal(result.tokens, 6);
  const reader = await connect({ rpcUrl: node.rpcUrl, account: testAccount(2), deploymentFile });
  assert.equal((await readAgreement(reader, result.agreementId)).paid, 60n);
});
