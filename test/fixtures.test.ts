import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FIXTURES } from "../runner/demo/fixtures.ts";
import { loadTokenizer } from "../runner/model/tokenizer.ts";

test("the held-out text is the reference's windows, token for token", async () => {
  const { eval_ids: ids } = JSON.parse(readFileSync(FIXTURES.reference, "utf8")) as { eval_ids: number[] };
  const tokenizer = await loadTokenizer(FIXTURES.tokenizer);
  assert.deepEqual([...tokenizer.encode(readFileSync(FIXTURES.text, "utf8"))], ids);
});
