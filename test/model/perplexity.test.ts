import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCutModel } from "../../runner/model/cutModel.ts";
import { Decoder } from "../../runner/model/decoder.ts";
import { crossEntropy, perplexity } from "../../runner/model/perplexity.ts";
import { loadPlainModel } from "../../runner/model/plainModel.ts";
import { failure, modelPath } from "../adapter/fixtures.ts";
import { loadModules, quantisedDeltas, reference, targetsOf } from "./deltas.ts";

test("perplexity of the base model matches the reference", async () => {
  const model = await loadPlainModel(modelPath("model_with_past.onnx"));
  const windows: [number, number][] = [];
  const result = await perplexity(new Decoder(model), reference.eval_ids, {
    onWindow: (...at) => windows.push(at),
  });
  assert.ok(Math.abs(result.perplexity / reference.cases["base"]!.perplexity_kjv - 1) < 1e-5);
  assert.deepEqual(
    [result.predictions, result.tokens, windows.length, windows.at(-1)],
    [32 * 127, 4096, 32, [32, 32]],
  );
  await model.close();
});

for (const [title, expected] of [
  ["kjv-attn", 105.83],
  ["kjv-attn+kjv-proj", 100.96],
] as const)
  test(`perplexity with ${title} quantised is within 0.2 % of the float reference`, async (t) => {
    const { adapters, perplexity_kjv: float } = reference.cases[title]!;
    const modules = await loadModules(adapters);
    const model = await loadCutModel({
      modelPath: modelPath("model_with_past.onnx"),
      targets: targetsOf(modules),
    });
    const { perplexity: measured } = await perplexity(
      new Decoder(model.with(quantisedDeltas(modules))),
      reference.eval_ids,
    );
    t.diagnostic(`${measured.toFixed(3)}, float ${float.toFixed(3)}`);
    assert.ok(Math.abs(measured / float - 1) < 0.002);
    assert.ok(Math.abs(measured - expected) < 0.01, `numpy's quantised reference gives ${expected}`);
    await model.close();
  });

test("cross entropy is -log softmax, safe for large logits", () => {
  assert.ok(Math.abs(crossEntropy(Float32Array.of(1000, 1000), 0) - Math.log(2)) < 1e-12);
  assert.ok(
    Math.abs(crossEntropy(Float32Array.of(0, 1, 2), 1) - Math.log(Math.exp(-1) + 1 + Math.E)) < 1e-12,
  );
});

test("a rest of one token is left out, a text of one token refused", async () => {
  const model = await loadPlainModel(modelPath("model_with_past.onnx"));
  const decoder = new Decoder(model);
  const ids = reference.eval_ids;
  assert.deepEqual(
    await perplexity(decoder, ids.slice(0, 33), { window: 16 }),
    await perplexity(decoder, ids.slice(0, 32), { window: 16 }),
  );
  assert.equal((await perplexity(decoder, ids.slice(0, 34), { window: 16 })).predictions, 31);
  await assert.rejects(perplexity(decoder, [1]), failure("perplexity/too-short"));
  await assert.rejects(perplexity(decoder, ids, { window: 1 }), failure("perplexity/bad-window"));
  await model.close();
});
