import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inspectAdapter } from "../../runner/adapter/inspect.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { adapterDir, failure, modelPath } from "./fixtures.ts";

const inspect = (adapter: string, model: string, modulesPerProof: number | "all" = 1) =>
  inspectAdapter({ dir: adapterDir(adapter), modelPath: modelPath(model), modulesPerProof });

for (const model of ["model.onnx", "model_with_past.onnx"])
  test(`matches both adapters by node name in ${model}`, async () => {
    for (const [adapter, leaf] of [
      ["kjv-attn", "c_attn"],
      ["kjv-proj", "c_proj"],
    ] as const) {
      const { modules } = await inspect(adapter, model);
      assert.deepEqual(
        modules.map(({ name, node }) => [name, node]),
        [0, 1, 2, 3].map((n) => [`transformer.h.${n}.attn.${leaf}`, `/transformer/h.${n}/attn/${leaf}/Gemm`]),
      );
    }
  });

test("matches both adapters by recorded scope in model_dynamo.onnx", async () => {
  const nodes = async (adapter: string) =>
    (await inspect(adapter, "model_dynamo.onnx")).modules.map(({ node }) => node);
  assert.deepEqual(await nodes("kjv-attn"), ["node_addmm", "node_addmm_4", "node_addmm_8", "node_addmm_12"]);
  assert.deepEqual(await nodes("kjv-proj"), [
    "node_addmm_1",
    "node_addmm_5",
    "node_addmm_9",
    "node_addmm_13",
  ]);
});

test("reports shapes, scale, size, leakage and the model's hash", async () => {
  const report = await inspect("kjv-proj", "model.onnx");
  assert.deepEqual(report.adapter, {
    name: "kjv-proj",
    r: 4,
    alpha: 8,
    useRslora: true,
    peftVersion: "0.21.2",
    baseModel: null,
  });
  const hash = createHash("sha256")
    .update(readFileSync(modelPath("model.onnx")))
    .digest("hex");
  assert.equal(report.model.sha256, hash);
  assert.equal(report.model.name, "model.onnx");
  assert.deepEqual(report.modules[3]!.shape, [128, 128, 2]);
  assert.equal(report.modules[3]!.scale, 8 / Math.sqrt(2));
  assert.equal(report.commitments, 4 * 256);
  const points = 64 * (report.commitments + 2 * 4);
  const scalars = 32 * 2 * (5 + 5 + 5 + 3);
  assert.ok(
    report.manifestBytes > points + scalars + 4 * 120 && report.manifestBytes < points + scalars + 2048,
  );
  assert.ok(report.estimatedRegistrationMs > 0);
  assert.deepEqual(report.leakage, { dInHalf: 64, dInHalfLargest: 64, rank: 2 });
});

test("quantisation stays near one percent of the weights' norm", async () => {
  for (const adapter of ["kjv-attn", "kjv-proj"])
    for (const { name, quantisation } of (await inspect(adapter, "model.onnx")).modules) {
      assert.ok(quantisation.relativeError > 1e-3 && quantisation.relativeError < 0.015, name);
      assert.ok(quantisation.maxAbsError > 0 && quantisation.maxAbsError < 0.02, name);
    }
});

test("groups modules as asked and names the smallest key", async () => {
  const one = await inspect("kjv-proj", "model.onnx", 1);
  assert.deepEqual([one.groups, one.keySize, one.modules.map(({ group }) => group)], [4, 14, [0, 1, 2, 3]]);
  const two = await inspect("kjv-attn", "model.onnx", 2);
  assert.deepEqual([two.groups, two.keySize, two.modules.map(({ group }) => group)], [2, 14, [0, 0, 1, 1]]);
  const all = await inspect("kjv-attn", "model.onnx", "all");
  assert.deepEqual([all.groups, all.keySize, all.modules.map(({ group }) => group)], [1, 30, [0, 0, 0, 0]]);
});

test("a user's own choice of node wins, and two modules on one node are refused", async () => {
  const dir = adapterDir("kjv-attn");
  const options = { dir, modelPath: modelPath("model.onnx"), modulesPerProof: 1 };
  const nodes = {
    "transformer.h.0.attn.c_attn": "/transformer/h.1/attn/c_attn/Gemm",
    "transformer.h.1.attn.c_attn": "/transformer/h.0/attn/c_attn/Gemm_output_0",
  };
  const { modules } = await inspectAdapter({ ...options, nodes });
  assert.deepEqual(
    modules.slice(0, 2).map(({ node }) => node),
    ["/transformer/h.1/attn/c_attn/Gemm", "/transformer/h.0/attn/c_attn/Gemm"],
  );
  const shared = { "transformer.h.0.attn.c_attn": "/transformer/h.1/attn/c_attn/Gemm" };
  await assert.rejects(inspectAdapter({ ...options, nodes: shared }), failure("model/shared-node", "h.1"));
});

test("a layer that the config targets and the weights lack is refused by its name", async (context) => {
  const dir = temporaryDirectory(context);
  cpSync(adapterDir("kjv-attn"), dir, { recursive: true });
  const file = join(dir, "adapter_config.json");
  const config = JSON.parse(readFileSync(file, "utf8")) as object;
  const inspect = (change: object) => {
    writeFileSync(file, JSON.stringify({ ...config, ...change }));
    return inspectAdapter({ dir, modelPath: modelPath("model.onnx"), modulesPerProof: 1 });
  };
  assert.equal((await inspect({})).modules.length, 4);
  await assert.rejects(
    inspect({ target_modules: ["c_attn", "attn.c_proj"] }),
    failure("adapter/missing-module", "transformer.h.0.attn.c_proj"),
  );
});
