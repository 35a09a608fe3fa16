import assert from "node:assert/strict";
import { test } from "node:test";
import { InferenceSession } from "onnxruntime-node";
import { loadCutModel } from "../../runner/model/cutModel.ts";
import { Decoder } from "../../runner/model/decoder.ts";
import { loadPlainModel } from "../../runner/model/plainModel.ts";
import { failure, modelPath } from "../adapter/fixtures.ts";
import { exactDeltas, largestDifference, loadModules, reference, targetsOf, zeroDeltas } from "./deltas.ts";

const EXPORTS = ["model.onnx", "model_with_past.onnx", "model_dynamo.onnx"];
const BOTH = ["kjv-attn", "kjv-proj"];

for (const name of EXPORTS) {
  test(`${name}: logits with exact deltas match the reference for every case`, async () => {
    for (const [title, { adapters, last_logits }] of Object.entries(reference.cases)) {
      const modules = await loadModules(adapters);
      const model = await loadCutModel({ modelPath: modelPath(name), targets: targetsOf(modules) });
      const { logits, vocabulary } = await new Decoder(model.with(exactDeltas(modules))).forward(
        reference.window_ids,
      );
      assert.equal(vocabulary, 1024);
      assert.ok(largestDifference(logits.subarray(-vocabulary), last_logits) < 1e-3, title);
      await model.close();
    }
  });

  test(`${name}: cut without deltas it equals the model as ONNX Runtime runs it whole`, async () => {
    const modules = await loadModules(BOTH);
    const model = await loadCutModel({ modelPath: modelPath(name), targets: targetsOf(modules) });
    const whole = await InferenceSession.create(modelPath(name));
    const runWhole = {
      inputs: model.inputs,
      outputs: model.outputs,
      run: (feeds: InferenceSession.FeedsType) => whole.run(feeds),
    };
    const cut = await new Decoder(model.with(zeroDeltas(modules))).forward(reference.window_ids);
    const uncut = await new Decoder(runWhole as never).forward(reference.window_ids);
    assert.ok(largestDifference(cut.logits, uncut.logits) < 1e-4);
    await model.close();
    await whole.release();
  });
}

test("both adapters take eight round trips a pass, each module once", async () => {
  const modules = await loadModules(BOTH);
  const model = await loadCutModel({ modelPath: modelPath("model.onnx"), targets: targetsOf(modules) });
  const asked: string[][] = [];
  const answerAll = exactDeltas(modules);
  const decoder = new Decoder(
    model.with((requests) => {
      asked.push(requests.flatMap(({ targets }) => targets));
      for (const { x, tokens, dIn } of requests) assert.deepEqual([x.length, tokens, dIn], [3 * 128, 3, 128]);
      return answerAll(requests);
    }),
  );
  await decoder.forward([5, 6, 7]);
  const expected = [0, 1, 2, 3].flatMap((layer) => [
    [`kjv-attn/transformer.h.${layer}.attn.c_attn`],
    [`kjv-proj/transformer.h.${layer}.attn.c_proj`],
  ]);
  assert.deepEqual(asked, expected);
  assert.equal(model.roundTrips, 8);
  await model.close();
});

test("several keys on one node share its x, and their deltas are added", async () => {
  const modules = await loadModules(["kjv-attn"]);
  const half = new Map([...modules].map(([key, module]) => [key, { ...module, scale: module.scale / 2 }]));
  const twice = new Map(
    [...half].flatMap(
      ([key, module]) =>
        [
          [`1:${key}`, module],
          [`2:${key}`, module],
        ] as const,
    ),
  );
  const model = await loadCutModel({ modelPath: modelPath("model.onnx"), targets: targetsOf(twice) });
  assert.equal(model.roundTrips, 4);
  const { logits, vocabulary } = await new Decoder(model.with(exactDeltas(twice))).forward(
    reference.window_ids,
  );
  const expected = reference.cases["kjv-attn"]!.last_logits;
  assert.ok(largestDifference(logits.subarray(-vocabulary), expected) < 1e-3);
  await model.close();
});

test("activations handed out stay as they were in later passes", async () => {
  const modules = await loadModules(["kjv-attn"]);
  const model = await loadCutModel({ modelPath: modelPath("model.onnx"), targets: targetsOf(modules) });
  const kept: Float32Array[] = [];
  const zeros = zeroDeltas(modules);
  const decoder = new Decoder(
    model.with((requests) => {
      kept.push(...requests.map(({ x }) => x));
      return zeros(requests);
    }),
  );
  await decoder.forward([1, 2, 3]);
  const first = kept.map((x) => x.slice());
  decoder.reset();
  await decoder.forward([9, 8, 7]);
  assert.deepEqual(kept.slice(0, 4), first);
  assert.ok(largestDifference(kept[4]!, kept[0]!) > 0);
  await model.close();
});

test("a delta that is missing or of another length is refused by key", async () => {
  const modules = await loadModules(["kjv-attn"]);
  const model = await loadCutModel({ modelPath: modelPath("model.onnx"), targets: targetsOf(modules) });
  const key = "kjv-attn/transformer.h.0.attn.c_attn";
  const run = (answers: Map<string, Float32Array>) =>
    new Decoder(model.with(async () => answers)).forward([1, 2]);
  await assert.rejects(run(new Map()), failure("model/bad-delta", key));
  await assert.rejects(run(new Map([[key, new Float32Array(384)]])), failure("model/bad-delta", key));
  await model.close();
});

test("keys must differ, files must exist and inputs must be fed", async () => {
  const target = { key: "k", modulePath: "transformer.h.0.attn.c_attn" };
  await assert.rejects(
    loadCutModel({ modelPath: modelPath("model.onnx"), targets: [target, target] }),
    failure("model/duplicate-key"),
  );
  await assert.rejects(loadPlainModel("/nowhere.onnx"), failure("model/missing-file"));
  await assert.rejects(loadPlainModel(modelPath("tokenizer.json")), failure("model/malformed"));
  const plain = await loadPlainModel(modelPath("model.onnx"));
  await assert.rejects(plain.run({}), failure("model/missing-input", "input_ids"));
  await plain.close();
});
