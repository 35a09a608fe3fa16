import assert from "node:assert/strict";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadTokenizer } from "../../runner/model/tokenizer.ts";
import { failure, modelPath, temporaryFolder } from "../adapter/fixtures.ts";
import { reference } from "./deltas.ts";

test("encodes the fixture's text as the Rust tokenizer does, and back", async () => {
  const tokenizer = await loadTokenizer(modelPath("tokenizer.json"));
  assert.deepEqual(tokenizer.encode(reference.prompt), reference.prompt_ids);
  const ids = tokenizer.encode(reference.eval_text);
  assert.deepEqual(ids.slice(0, 4096), reference.eval_ids);
  assert.equal(tokenizer.decode(ids), reference.eval_text);
  assert.deepEqual(tokenizer.endIds, [0]);
});

test("spaces before punctuation survive decoding", async () => {
  const tokenizer = await loadTokenizer(modelPath("tokenizer.json"));
  const text = "a , b . do n't é ☃";
  assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
});

test("without a config beside it there is no end id; a missing or broken file is named", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "tokenizer.json");
  await assert.rejects(loadTokenizer(path), failure("tokenizer/cannot-load", path));
  copyFileSync(modelPath("tokenizer.json"), path);
  assert.deepEqual((await loadTokenizer(path)).endIds, []);
  writeFileSync(path, "{}");
  await assert.rejects(loadTokenizer(path), failure("tokenizer/cannot-load", path));
});

test("a tokenizer that has no token for a part of a text is an error that names it, not a hole in the ids", async (t) => {
  const path = join(temporaryFolder(t), "tokenizer.json");
  const model = { type: "WordLevel", vocab: { a: 0 } };
  const steps = {
    normalizer: null,
    pre_tokenizer: { type: "Whitespace" },
    post_processor: null,
    decoder: null,
  };
  writeFileSync(path, JSON.stringify({ version: "1.0", added_tokens: [], ...steps, model }));
  const tokenizer = await loadTokenizer(path);
  assert.deepEqual(tokenizer.encode("a a"), [0, 0]);
  assert.throws(() => tokenizer.encode("a b"), failure("tokenizer/no-token", path));
});
