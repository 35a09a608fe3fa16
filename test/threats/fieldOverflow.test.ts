/** Signed integers in a field: no two answers a contributor may give are the same mod p, and signs survive. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeAnswers, encodeAnswers } from "../../runner/protocol/encoding.ts";
import { mod, P } from "../../runner/protocol/field.ts";
import { initialState, type SessionState } from "../../runner/protocol/fold.ts";
import { yMax } from "../../runner/protocol/quantise.ts";
import { decodeSums, encodeSums } from "../../runner/protocol/signedSums.ts";
import {
  buyerStatements,
  columnSums,
  groupWitness,
  witnessStatement,
} from "../../runner/protocol/statement.ts";
import { AGREEMENT, blindsOf, scenario, terminateCurveAfterwards } from "../protocol/scenario.ts";

terminateCurveAfterwards();

/** More tokens than any agreement has: they are counted in 64 bits. */
const TOKENS = 2n ** 64n;
/** No |y| is larger: a shape whose bound reaches 2^53 is refused. */
const LARGEST_ANSWER = 2n ** 53n;
const LARGEST_SUM = LARGEST_ANSWER * 2n ** 128n * TOKENS;

test("sums of the largest answers, of either sign, over all tokens there can be, stay apart mod p", () => {
  assert.ok(2n * LARGEST_SUM < P, "two sums within bounds differ by less than p");
  for (const sum of [LARGEST_SUM, -LARGEST_SUM, 1n, -1n, 0n])
    assert.deepEqual(decodeSums(encodeSums([sum])), [sum]);
  assert.notEqual(mod(LARGEST_SUM), mod(-LARGEST_SUM));
  assert.throws(() => encodeSums([P * 2n ** 3n]), { code: "encoding/out-of-range" });
  assert.throws(() => yMax(8192, 2 ** 20), "a shape whose answers reach 2^53 is refused");
});

test("an answer that wraps, mod p, mod 2^64 or beyond 2^53, has no encoding that is taken", () => {
  const bound = 1000;
  const encoded = (value: bigint): Uint8Array => {
    const out = new Uint8Array(8);
    new DataView(out.buffer).setBigInt64(0, BigInt.asIntN(64, value), true);
    return out;
  };
  for (const y of [7n, -7n]) {
    assert.deepEqual([...decodeAnswers(encoded(y), 1, bound)], [Number(y)]);
    for (const alias of [y + P, y - P, y + 2n ** 53n, y - 2n ** 53n, y + 2n ** 63n, y ^ (1n << 62n)])
      assert.throws(
        () => decodeAnswers(encoded(alias), 1, bound),
        (error: Error & { code?: string }) => /^encoding\//.test(error.code ?? ""),
        `${alias}`,
      );
  }
  assert.throws(() => encodeAnswers(Float64Array.of(2 ** 64)));
});

test("sums at both ends of their range give both sides one statement, and one off by one another", async () => {
  const shapes = [{ dIn: 4, dOut: 3, r: 2, group: 0 }];
  const { curve, key, input, registration, checked } = await scenario(shapes, 14);
  const { layout, commitments } = checked;
  const sums = await columnSums(curve, commitments);
  const largest = 2n ** 15n * 2n ** 128n * TOKENS;
  const [module] = input.modules;
  for (const xBar of [
    Array<bigint>(4).fill(largest),
    Array<bigint>(4).fill(-largest),
    [largest, -largest, 1n, -1n],
  ]) {
    const inner = [0, 1].map((k) => xBar.reduce((sum, x, i) => sum + BigInt(module!.Aq[k * 4 + i]!) * x, 0n));
    const yBar = [0, 1, 2].map((j) =>
      inner.reduce((sum, value, k) => sum + BigInt(module!.Bq[j * 2 + k]!) * value, 0n),
    );
    const state: SessionState = {
      ...initialState(layout, AGREEMENT),
      passes: 1,
      lastSalt: new Uint8Array(32),
      xBar: [xBar],
      yBar: [yBar],
    };
    const blinds = blindsOf(input);
    const witness = groupWitness(layout, input.modules, blinds, state, 0);
    assert.equal(witness.yhat, mod(witness.h.reduce((sum, h, k) => sum + h * witness.s[k]!, 0n)));
    const [V] = await buyerStatements(curve, key, layout, commitments, sums, state);
    assert.deepEqual(V, await witnessStatement(curve, key, witness));
    const off = { ...state, yBar: [yBar.with(0, yBar[0]! + 1n)] };
    const [other] = await buyerStatements(curve, key, layout, commitments, sums, off);
    assert.notDeepEqual(other, V);
    const wrong = groupWitness(layout, input.modules, blinds, off, 0);
    assert.notEqual(wrong.yhat, mod(wrong.h.reduce((sum, h, k) => sum + h * wrong.s[k]!, 0n)));
  }
  assert.ok(registration);
});
