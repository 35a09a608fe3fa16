/** The library as a package, installed beside a user's own program: the example, against a real service and chain. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startLocalNode } from "../../runner/chain/localNode.ts";
import { runCommand, startCommand } from "../../runner/demo/commands.ts";
import { FIXTURES } from "../../runner/demo/fixtures.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const reference = JSON.parse(fs.readFileSync(FIXTURES.reference, "utf8")) as {
  window_ids: number[];
  cases: Record<string, { last_logits: number[] }>;
};

/** A folder whose node_modules holds the built package and, by links, what it depends on. */
function install(folder: string): void {
  const modules = path.join(folder, "node_modules");
  const own = path.join(modules, "deltapay");
  fs.mkdirSync(own, { recursive: true });
  fs.copyFileSync(path.join(ROOT, "package.json"), path.join(own, "package.json"));
  const built = path.join(own, "build", "library");
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build-library.ts", "--out", built], {
    cwd: ROOT,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  for (const name of fs.readdirSync(path.join(ROOT, "node_modules")))
    if (!name.startsWith("."))
      fs.symlinkSync(path.join(ROOT, "node_modules", name), path.join(modules, name));
  fs.copyFileSync(path.join(ROOT, "examples/own-model/main.ts"), path.join(folder, "main.ts"));
  fs.writeFileSync(path.join(folder, "package.json"), '{"type":"module"}');
}

test("a program of one's own runs its model with a paid adapter", async (context) => {
  const folder = fs.mkdtempSync(path.join(tmpdir(), "deltapay-library-"));
  context.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  install(folder);
  const node = await startLocalNode();
  context.after(() => node.stop());
  const deployment = path.join(folder, "deployment.json");
  const chain = ["--rpc", node.rpcUrl, "--deployment", deployment];
  const contributor = [...chain, "--account", "1", "--data", path.join(folder, "contributor")];
  const buyer = path.join(folder, "buyer");
  const modelPath = path.join(path.dirname(FIXTURES.model), "model.onnx");
  const model = ["--model", modelPath];
  await runCommand(["deploy", ...chain]);
  await runCommand(["adapter", "register", FIXTURES.adapters["kjv-attn"], ...model, ...contributor]);
  const terms = ["--price", "10wei", "--fee", "0", "--max-unpaid", "128", "--cap", "256"];
  await runCommand(["offer", "make", ...terms, ...contributor]);
  const service = await startCommand<{ url: string }>(["serve", "--port", "0", ...contributor]);
  context.after(() => service.kill());
  const opening = [
    "--contributor",
    service.result.url,
    "--amount",
    "2560wei",
    "--account",
    "2",
    "--data",
    buyer,
  ];
  await runCommand(["open", ...opening, ...model, ...chain]);

  const args = [path.join(folder, "main.ts"), modelPath, buyer, reference.window_ids.join(",")];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args, node.rpcUrl, deployment], {
    cwd: folder,
    encoding: "utf8",
    timeout: 120_000,
    env: { ...process.env, DELTAPAY_KEYS: process.env["DELTAPAY_KEYS"] ?? path.join(ROOT, "build", "keys") },
  });
  assert.equal(status, 0, stderr);
  const { passes, tokens, last } = JSON.parse(stdout) as { passes: number; tokens: number; last: number[] };
  assert.deepEqual([passes, tokens], [1, reference.window_ids.length]);
  const expected = reference.cases["kjv-attn"]!.last_logits;
  const base = reference.cases["base"]!.last_logits;
  const distance = (to: number[]): number => Math.max(...last.map((value, i) => Math.abs(value - to[i]!)));
  // quantised weights and activations against float32; the base model alone is far away
  assert.ok(distance(expected) < 0.05 * distance(base), `${distance(expected)} of ${distance(base)}`);
});
