/** Checks that fuzzing asked for: each kept input breaks its reader again without them. */
import type { Mutation } from "./list.ts";

const test = "test/fuzz/fuzz.test.ts";

export const FUZZ_MUTATIONS: readonly Mutation[] = [
  {
    name: "patterns-for-ever",
    attack: "a rank pattern of nested repeats that keeps whoever inspects the adapter busy for ever",
    file: "runner/adapter/peftConfig.ts",
    find: "    if (!isQuick(key))",
    replace: "    if (false)",
    test,
    pattern: "kept input repeats-in-repeats",
  },
  {
    name: "json-without-depth",
    attack: "values nested so deeply that naming them in an error ends in a stack overflow",
    file: "runner/adapter/json.ts",
    find: "if (open.length > MAX_DEPTH)",
    replace: "if (false)",
    test,
    pattern: "peft-config: the kept input e5b36a3ad605a226",
  },
  {
    name: "state-beyond-exact-numbers",
    attack: "a stored session that counts beyond 2^53 and goes on with other numbers than it says",
    file: "runner/protocol/sessionState.ts",
    find: "value <= Number.MAX_SAFE_INTEGER",
    replace: "true",
    test,
    pattern: "session-state: the kept input",
  },
  {
    name: "graph-in-a-circle",
    attack: "a model whose weight is traced back to itself for ever",
    file: "runner/model/weights.ts",
    find: "if (at === undefined || at >= before)",
    replace: "if (at === undefined)",
    test,
    pattern: "onnx: the kept input",
  },
  {
    name: "text-without-tokens",
    attack: "a tokenizer that leaves holes in a text, which the model is then fed as if they were tokens",
    file: "runner/model/tokenizer.ts",
    find: "if (Array.from(ids).every((id) => Number.isSafeInteger(id) && id >= 0)) return ids;",
    replace: "if (ids.length >= 0) return ids;",
    test: "test/model/tokenizer.test.ts",
    pattern: "no token for",
  },
];
