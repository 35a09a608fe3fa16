/** Where a transcript was altered, told by its answers alone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { oddTokens, type Rows } from "../../runner/audit/formats/linearity.ts";

const [D_IN, D_OUT] = [4, 3];

/** Passes of a fixed linear map. */
function passes(...tokens: number[]): Rows[] {
  let seed = 1;
  const next = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return (seed % 2001) - 1000;
  };
  const map = Array.from({ length: D_OUT }, () => Array.from({ length: D_IN }, next));
  return tokens.map((count) => {
    const X = Int16Array.from({ length: count * D_IN }, next);
    const Y = Float64Array.from({ length: count * D_OUT }, (_, i) => {
      const [t, j] = [Math.floor(i / D_OUT), i % D_OUT];
      return map[j]!.reduce((sum, weight, k) => sum + weight * X[t * D_IN + k]!, 0);
    });
    return { X, Y };
  });
}

describe("tokens whose answers are no linear map of their activations", () => {
  for (const token of [0, 3, 7, 11])
    test(`token ${token} of twelve, altered by one`, () => {
      const parts = passes(5, 7);
      const [part, at] = token < 5 ? [parts[0]!, token] : [parts[1]!, token - 5];
      part.Y[at * D_OUT + 1]! += 1;
      assert.deepEqual(oddTokens(parts, D_IN, D_OUT), [token]);
    });

  test("none, when all agree", () => assert.deepEqual(oddTokens(passes(5, 7), D_IN, D_OUT), []));

  test("an altered activation is found as well", () => {
    const parts = passes(12);
    parts[0]!.X[2 * D_IN]! += 1;
    assert.deepEqual(oddTokens(parts, D_IN, D_OUT), [2]);
  });

  test("nobody is accused when too few tokens could contradict each other", () => {
    for (const count of [D_IN, D_IN + 1, D_IN + 2]) {
      const parts = passes(count);
      parts[0]!.Y[0]! += 1;
      const odd = oddTokens(parts, D_IN, D_OUT);
      assert.ok(
        odd.length === 0 || (odd.length === 1 && odd[0] === 0),
        `${count} tokens accuse ${odd.join()}`,
      );
    }
  });
});
