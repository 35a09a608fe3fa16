import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCutModel } from "../../runner/model/cutModel.ts";
import { Decoder } from "../../runner/model/decoder.ts";
import { generate } from "../../runner/model/generate.ts";
import { loadPlainModel } from "../../runner/model/plainModel.ts";
import { type Runnable, Tensor, type TensorInfo } from "../../runner/model/session.ts";
import { loadTokenizer } from "../../runner/model/tokenizer.ts";
import { failure, modelPath } from "../adapter/fixtures.ts";
import {
  exactDeltas,
  largestDifference,
  loadModules,
  quantisedDeltas,
  reference,
  targetsOf,
} from "./deltas.ts";

const GREEDY = { maxTokens: 40, temperature: 0, topP: 1, seed: 1, stop: [], endIds: [] };

test("reading a text in pieces predicts the same as reading it at once, with and without a cache", async () => {
  const plain = await loadPlainModel(modelPath("model.onnx"));
  const whole = (await new Decoder(plain).forward(reference.window_ids)).logits;
  await plain.close();
  for (const name of ["model.onnx", "model_with_past.onnx", "model_dynamo.onnx"]) {
    const model = await loadPlainModel(modelPath(name));
    const decoder = new Decoder(model);
    assert.equal(decoder.hasCache, name === "model_with_past.onnx");
    let read = 0;
    for (const size of [1, 1, 30, 32]) {
      const part = reference.window_ids.slice(read, read + size);
      const { logits, vocabulary, tokensRun } = await decoder.forward(part);
      assert.equal(logits.length, size * vocabulary);
      assert.equal(tokensRun, decoder.hasCache ? size : Math.max(2, read + size));
      const expected = whole.subarray(read * vocabulary, (read + size) * vocabulary);
      assert.ok(largestDifference(logits, expected) < 1e-4, `${name} at ${read}`);
      read += size;
    }
    await model.close();
  }
});

test("reset forgets, and a failed pass leaves the text as it was", async () => {
  const model = await loadPlainModel(modelPath("model_with_past.onnx"));
  let fail = false;
  const flaky: Runnable = {
    ...model,
    run: (feeds) => (fail ? Promise.reject(new Error("line down")) : model.run(feeds)),
  };
  const decoder = new Decoder(flaky);
  const first = await decoder.forward([5, 6, 7]);
  const second = await decoder.forward([8]);
  decoder.reset();
  assert.deepEqual((await decoder.forward([5, 6, 7])).logits, first.logits);
  fail = true;
  await assert.rejects(decoder.forward([8]), /line down/);
  fail = false;
  assert.deepEqual((await decoder.forward([8])).logits, second.logits);
  await model.close();
});

test("overlapping passes, passes of no tokens and texts beyond the context are refused", async () => {
  const model = await loadPlainModel(modelPath("model_with_past.onnx"));
  const decoder = new Decoder(model);
  const results = await Promise.allSettled([decoder.forward([1]), decoder.forward([2])]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected"],
  );
  await assert.rejects(decoder.forward([]), failure("model/no-tokens"));
  await assert.rejects(decoder.forward(new Array<number>(128).fill(1)), failure("model/run-failed"));
  await model.close();
});

test("inputs and outputs that a decoder does not have are refused by name", () => {
  const info = (
    name: string,
    type = "int64",
    shape: (number | string)[] = ["batch", "sequence"],
  ): TensorInfo => ({ name, type, shape });
  const past = (shape: (number | string)[], type = "float32") => info("past_key_values.0.key", type, shape);
  const build = (inputs: TensorInfo[], outputs = [info("logits", "float32")]) =>
    new Decoder({ inputs, outputs, run: () => Promise.reject(new Error("not run")) });
  const ids = info("input_ids");
  const cases: [TensorInfo[], string][] = [
    [[ids, info("pixel_values")], "pixel_values"],
    [[info("attention_mask")], "input_ids"],
    [[info("input_ids", "float32")], "input_ids"],
    [[ids, past(["b", "heads", "past", 32])], "past_key_values.0.key"],
    [[ids, past(["b", 4, "past", 32], "float64")], "past_key_values.0.key"],
    [[ids, past(["b", 4, "past", 32])], "present.0.key"],
  ];
  for (const [inputs, field] of cases)
    assert.throws(() => build(inputs), failure("model/unsupported-input", field));
  assert.throws(() => build([ids], []), failure("model/unsupported-input", "logits"));
});

test("greedy text with the cache matches the reference, with exact and with quantised deltas", async () => {
  const tokenizer = await loadTokenizer(modelPath("tokenizer.json"));
  const modules = await loadModules(["kjv-attn"]);
  const model = await loadCutModel({
    modelPath: modelPath("model_with_past.onnx"),
    targets: targetsOf(modules),
  });
  for (const deltas of [exactDeltas(modules), quantisedDeltas(modules)]) {
    const pieces: string[] = [];
    const result = await generate(new Decoder(model.with(deltas)), tokenizer, {
      ...GREEDY,
      prompt: reference.prompt,
      onText: (piece) => pieces.push(piece),
    });
    assert.equal(result.text, reference.cases["kjv-attn"]!.greedy);
    assert.equal(reference.prompt + pieces.join(""), result.text);
    assert.deepEqual([result.added, result.reason], [40, "length"]);
  }
  await model.close();
});

test("generation ends at a stop string, at an end id, and repeats itself for a seed", async () => {
  const tokenizer = await loadTokenizer(modelPath("tokenizer.json"));
  const model = await loadPlainModel(modelPath("model_with_past.onnx"));
  const decoder = new Decoder(model);
  const run = (options: object) =>
    generate(decoder, tokenizer, { ...GREEDY, prompt: reference.prompt, ...options });
  const full = reference.cases["base"]!.greedy;

  const pieces: string[] = [];
  const stopped = await run({ stop: ["never", "/boh/"], onText: (piece: string) => pieces.push(piece) });
  assert.equal(stopped.text, full.slice(0, full.indexOf("/boh/")));
  assert.equal(reference.prompt + pieces.join(""), stopped.text);
  assert.equal(stopped.reason, "stop");

  const third = (await run({ maxTokens: 3 })).ids.at(-1)!;
  const ended = await run({ endIds: [third] });
  assert.deepEqual([ended.reason, ended.ids.includes(third, reference.prompt_ids.length)], ["end", false]);

  const sampled = { temperature: 1, topP: 0.9, maxTokens: 12 };
  const [a, b, c] = [
    await run({ ...sampled, seed: 7 }),
    await run({ ...sampled, seed: 7 }),
    await run({ ...sampled, seed: 8 }),
  ];
  assert.equal(a.text, b.text);
  assert.notEqual(a.text, c.text);
  await model.close();
});

test("a character is shown when all its bytes have come", async () => {
  const tokenizer = await loadTokenizer(modelPath("tokenizer.json"));
  const script = tokenizer.encode("é☃ end");
  const scripted: Runnable = {
    inputs: [{ name: "input_ids", type: "int64", shape: [1, "sequence"] }],
    outputs: [{ name: "logits", type: "float32", shape: [1, "sequence", 1024] }],
    run: async ({ input_ids }) => {
      const read = input_ids!.dims[1]!;
      const logits = new Float32Array(1024 * read);
      logits[1024 * (read - 1) + script[read - 2]!] = 1;
      return { logits: new Tensor("float32", logits, [1, read, 1024]) };
    },
  };
  const pieces: string[] = [];
  const prompt = tokenizer.decode([33, 263]);
  const options = {
    ...GREEDY,
    maxTokens: script.length,
    prompt,
    onText: (piece: string) => void pieces.push(piece),
  };
  const { text } = await generate(new Decoder(scripted), tokenizer, options);
  assert.equal(text, `${prompt}é☃ end`);
  assert.equal(pieces.join(""), "é☃ end");
  assert.ok(!pieces.some((piece) => piece.includes("\ufffd")));
  assert.ok(pieces.length > 2);
});

test("options of no sense and an empty prompt are refused", async () => {
  const tokenizer = await loadTokenizer(modelPath("tokenizer.json"));
  const model = await loadPlainModel(modelPath("model_with_past.onnx"));
  const run = (options: object) =>
    generate(new Decoder(model), tokenizer, { ...GREEDY, prompt: "a", ...options });
  for (const [field, value] of Object.entries({ maxTokens: 0, seed: 0.5, stop: [""] }))
    await assert.rejects(run({ [field]: value }), failure("generate/bad-option", field));
  for (const [field, value] of Object.entries({ temperature: -1, topP: 0 }))
    await assert.rejects(run({ [field]: value }), failure("sampling/bad-option", field));
  await assert.rejects(run({ prompt: "" }), failure("generate/empty-prompt"));
  await model.close();
});
