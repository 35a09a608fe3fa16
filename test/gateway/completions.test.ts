import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCompletionRequest } from "../../runner/gateway/completionRequest.ts";
import { type Completing, type Completion, complete, stream } from "../../runner/gateway/completions.ts";
import { Purse } from "../../runner/gateway/purse.ts";
import type { Tokenizer } from "../../runner/model/tokenizer.ts";

/** A request to a model that adds these pieces. */
function completing(pieces: readonly string[], asked: object): Completing {
  return {
    model: {
      id: "base",
      paid: false,
      generate: async ({ onText }) => {
        for (const piece of pieces) onText?.(piece);
        return { text: "", ids: [1, ...pieces.map(() => 2)], added: pieces.length, reason: "end" };
      },
    },
    tokenizer: { encode: () => [1], decode: () => "", endIds: [] } as unknown as Tokenizer,
    purse: new Purse([], undefined),
    request: parseCompletionRequest({ model: "base", prompt: "In the", ...asked }),
    signal: new AbortController().signal,
  };
}

test("an echoed prompt is in a stream as it is in a whole answer, also when nothing follows it", async () => {
  for (const pieces of [[], [" beginning", "."]])
    for (const echo of [true, false]) {
      const events: Completion[] = [];
      await stream(completing(pieces, { echo, stream: true }), (event) => events.push(event));
      const whole = await complete(completing(pieces, { echo }));
      assert.equal(events.map(({ choices }) => choices[0]!.text).join(""), whole.choices[0]!.text);
      assert.equal(whole.choices[0]!.text, (echo ? "In the" : "") + pieces.join(""));
    }
});
