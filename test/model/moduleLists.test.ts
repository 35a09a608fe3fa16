import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parsePeftConfig } from "../../runner/adapter/peftConfig.ts";
import { targetsOfModel } from "../../runner/buyer/model/modelTargets.ts";
import { compareModuleLists, targetedLayers } from "../../runner/model/moduleLists.ts";
import { readOnnxModel } from "../../runner/model/onnxFile.ts";
import type { Manifest } from "../../runner/protocol/manifest.ts";

const base = (name: string): string => fileURLToPath(new URL(`../../fixtures/base/${name}`, import.meta.url));
const ALL = { targetModules: ["c_attn"], layersToTransform: null };
const layer = (n: number): string => `transformer.h.${n}.attn.c_attn`;
const failure = (code: string, field: string) => (error: unknown) => {
  const found = error as { code: string; field: string };
  return found.code === code && found.field === field;
};

for (const name of ["model.onnx", "model_with_past.onnx", "model_dynamo.onnx"])
  test(`${name}: the layers that a config targets are found`, async () => {
    const model = await readOnnxModel(base(name));
    assert.deepEqual(targetedLayers(model, ALL), [0, 1, 2, 3].map(layer));
    const some = { targetModules: ["c_attn", "attn.c_proj"], layersToTransform: [1, 3] };
    const expected = [1, 3].flatMap((n) => [layer(n), `transformer.h.${n}.attn.c_proj`]);
    assert.deepEqual(targetedLayers(model, some).sort(), expected);
    assert.deepEqual(targetedLayers(model, { ...ALL, targetModules: ["q_proj"] }), []);
  });

test("a layer left out, and one too many, are named", () => {
  const all = [0, 1, 2, 3].map(layer);
  compareModuleLists(all, all.toReversed());
  compareModuleLists(["model.layers.0.attn.q_proj"], ["layers.0.self_attn.q_proj"]);
  assert.throws(() => compareModuleLists(all, all.slice(1)), failure("adapter/missing-module", layer(0)));
  assert.throws(() => compareModuleLists(all.slice(1), all), failure("adapter/unexpected-module", layer(0)));
  assert.throws(() => compareModuleLists(all, []), failure("adapter/missing-module", layer(0)));
});

test("a buyer who knows the config refuses an adapter that would leave a layer to the base model", async () => {
  const modules = (...layers: number[]): Manifest =>
    ({ modules: layers.map((n) => ({ name: layer(n), shape: [128, 384, 4] })) }) as unknown as Manifest;
  const find = targetsOfModel(base("model.onnx"), {}, ALL);
  assert.equal((await find(modules(0, 1, 2, 3))).length, 4);
  await assert.rejects(find(modules(0, 1, 3)), failure("adapter/missing-module", layer(2)));
  const two = targetsOfModel(base("model.onnx"), {}, { ...ALL, layersToTransform: [0, 1] });
  await assert.rejects(two(modules(0, 1, 2)), failure("adapter/unexpected-module", layer(2)));
});

test("PEFT's own config gives the targets", () => {
  const { targetModules, layersToTransform } = parsePeftConfig(
    JSON.stringify({
      peft_type: "LORA",
      r: 4,
      lora_alpha: 8,
      target_modules: ["c_attn"],
      layers_to_transform: [2],
    }),
  );
  assert.deepEqual([targetModules, layersToTransform], [["c_attn"], [2]]);
});
