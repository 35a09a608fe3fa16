import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { loadPeftAdapter } from "../../runner/adapter/peft.ts";
import { DeltapayError } from "../../runner/protocol/errors.ts";
import {
  answer,
  dequantise,
  quantiseActivations,
  quantiseAdapterModule,
  yMax,
} from "../../runner/protocol/quantise.ts";
import { adapterDir, FIXTURES } from "../adapter/fixtures.ts";

interface Reference {
  adapter: string;
  module: string;
  shape: [number, number, number];
  A_q: string;
  B_q: string;
  b: string;
  b_first: number;
  x: number[][] | null;
  X: string;
  X_values: number[][];
  Y: string;
  Y_first: number[];
}

const { modules } = JSON.parse(readFileSync(join(FIXTURES, "quantised.json"), "utf8")) as {
  modules: Reference[];
};

const sha256 = (values: ArrayBufferView): string =>
  createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");
const int64 = (values: Float64Array): BigInt64Array => BigInt64Array.from(values, BigInt);
const code = (expected: string) => (error: unknown) =>
  error instanceof DeltapayError && error.code === expected;

/** B * A * x with BigInt, the definition. */
function plainAnswer(
  Aq: Int8Array,
  Bq: Int8Array,
  X: Int16Array,
  [tokens, dIn, dOut, r]: number[],
): bigint[] {
  const out: bigint[] = [];
  for (let t = 0; t < tokens!; t++)
    for (let j = 0; j < dOut!; j++) {
      let y = 0n;
      for (let k = 0; k < r!; k++)
        for (let i = 0; i < dIn!; i++)
          y += BigInt(Bq[j * r! + k]!) * BigInt(Aq[k * dIn! + i]!) * BigInt(X[t * dIn! + i]!);
      out.push(y);
    }
  return out;
}

test("weights, activations and answers of all eight fixture modules match the numpy reference", async () => {
  assert.equal(modules.length, 8);
  for (const reference of modules) {
    const adapter = await loadPeftAdapter(adapterDir(reference.adapter));
    const module = adapter.modules.find(({ path }) => path === reference.module);
    assert.ok(module, reference.module);
    const { Aq, Bq, b } = quantiseAdapterModule(module);
    const [dIn, dOut, r] = reference.shape;
    const where = `${reference.adapter} ${reference.module}`;
    assert.deepEqual([module.dIn, module.dOut, module.r], reference.shape, where);
    assert.equal(b[0], reference.b_first, where);
    assert.equal(sha256(Aq), reference.A_q, where);
    assert.equal(sha256(Bq), reference.B_q, where);
    assert.equal(sha256(b), reference.b, where);

    const X = Int16Array.from(reference.X_values.flat());
    if (reference.x !== null)
      assert.deepEqual(quantiseActivations(Float64Array.from(reference.x.flat()), 3, dIn).X, X, where);
    assert.equal(sha256(X), reference.X, where);
    const Y = answer(Aq, Bq, X, 3, dIn, dOut, r);
    assert.deepEqual([...Y.subarray(0, 4)], reference.Y_first, where);
    assert.equal(sha256(int64(Y)), reference.Y, where);
  }
});

test("rounding is half to even and -32768 and -128 are never produced", () => {
  const x = Float64Array.from([32767, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, -32767]);
  assert.deepEqual([...quantiseActivations(x, 1, 8).X], [32767, 0, 2, 2, 0, -2, -2, -32767]);
  const module = {
    A: Float64Array.from([-127, 0.5, 1.5, 127]),
    B: Float64Array.of(-1),
    r: 1,
    dIn: 4,
    dOut: 1,
    scale: 2,
  };
  const { Aq, Bq, b } = quantiseAdapterModule(module);
  assert.deepEqual([...Aq], [-127, 0, 2, 127]);
  assert.deepEqual([...Bq], [-127]);
  assert.equal(b[0], 2 / 127);
});

test("zero rows, and rows too small to scale, have a positive zero scale and give zeros", () => {
  const { Aq, Bq, b } = quantiseAdapterModule({
    A: new Float64Array(2),
    B: Float64Array.of(-0, -0),
    r: 1,
    dIn: 2,
    dOut: 2,
    scale: -1,
  });
  assert.deepEqual([...Aq, ...Bq], [0, 0, 0, 0]);
  assert.ok(b.every((scale) => Object.is(scale, 0)));
  const { X, sigma } = quantiseActivations(Float32Array.of(-0, 0), 1, 2);
  assert.deepEqual([...X], [0, 0]);
  assert.ok(Object.is(sigma[0], 0));
  const tiny = quantiseActivations(Float64Array.of(Number.MIN_VALUE), 1, 1);
  assert.deepEqual([...tiny.X, ...tiny.sigma], [0, 0]);
});

test("an activation that is not finite is refused by token and column", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const x = new Float32Array(6);
    x[4] = bad;
    assert.throws(
      () => quantiseActivations(x, 2, 3),
      (error) =>
        error instanceof DeltapayError && error.field === "x[1][1]" && error.code === "quantise/not-finite",
    );
  }
});

test("weights and scales that are not finite are refused", () => {
  const base = { A: Float64Array.of(1), B: Float64Array.of(1), r: 1, dIn: 1, dOut: 1, scale: 1 };
  assert.throws(
    () => quantiseAdapterModule({ ...base, A: Float64Array.of(Number.NaN) }),
    code("quantise/not-finite"),
  );
  assert.throws(
    () => quantiseAdapterModule({ ...base, B: Float64Array.of(1e308), scale: 1e308 }),
    code("quantise/not-finite"),
  );
  assert.throws(() => quantiseAdapterModule({ ...base, scale: Number.NaN }), code("quantise/not-finite"));
});

test("lengths that disagree with the shape are refused", () => {
  const one = { A: Float64Array.of(1), B: Float64Array.of(1), r: 1, dIn: 1, dOut: 1, scale: 1 };
  assert.throws(() => quantiseAdapterModule({ ...one, dIn: 2 }), code("quantise/bad-length"));
  assert.throws(() => quantiseAdapterModule({ ...one, dOut: 2 }), code("quantise/bad-length"));
  assert.throws(() => quantiseActivations(new Float32Array(3), 2, 2), code("quantise/bad-length"));
  assert.throws(
    () => answer(new Int8Array(1), new Int8Array(1), new Int16Array(2), 1, 1, 1, 1),
    code("quantise/bad-length"),
  );
  assert.throws(
    () => dequantise(new Float64Array(2), new Float64Array(1), new Float64Array(1), 1, 1),
    code("quantise/bad-length"),
  );
});

test("an activation of -32768 is refused by the contributor", () => {
  assert.throws(
    () => answer(Int8Array.of(1), Int8Array.of(1), Int16Array.of(-32768), 1, 1, 1, 1),
    code("quantise/out-of-range"),
  );
});

test("the bound on answers is exact and a shape beyond 2^53 is refused", () => {
  assert.equal(yMax(4, 128), 4 * 127 * 128 * 127 * 32767);
  assert.ok(Number.isSafeInteger(yMax(1, 17_042_984)));
  assert.throws(() => yMax(1, 17_042_985), code("quantise/shape-too-large"));
  assert.throws(() => yMax(0, 1), code("quantise/bad-shape"));
});

const int8 = fc.oneof(fc.integer({ min: -127, max: 127 }), fc.constantFrom(-127, 0, 127));
const int16 = fc.oneof(fc.integer({ min: -32767, max: 32767 }), fc.constantFrom(-32767, 0, 32767));
const list = <T>(item: fc.Arbitrary<T>, length: number) =>
  fc.array(item, { minLength: length, maxLength: length });
const shape = fc.tuple(
  fc.integer({ min: 1, max: 3 }),
  fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 24 })),
  fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 24 })),
  fc.integer({ min: 1, max: 6 }),
);

test("answers equal B * A * x in BigInt for random integers and extremes", () => {
  const inputs = shape.chain(([tokens, dIn, dOut, r]) =>
    fc.record({
      size: fc.constant([tokens, dIn, dOut, r] as const),
      A: list(int8, r * dIn),
      B: list(int8, dOut * r),
      X: list(int16, tokens * dIn),
    }),
  );
  fc.assert(
    fc.property(inputs, ({ size, A, B, X }) => {
      const [Aq, Bq, x] = [Int8Array.from(A), Int8Array.from(B), Int16Array.from(X)];
      const Y = answer(Aq, Bq, x, ...size);
      assert.ok(Y.every((y) => !Object.is(y, -0)));
      assert.deepEqual([...int64(Y)], plainAnswer(Aq, Bq, x, [...size]));
    }),
    { numRuns: 200 },
  );
});

test("answers reach Y_MAX exactly at all 127 and all 32767", () => {
  for (const [r, dIn] of [
    [1, 1],
    [16, 1024],
    [64, 4096],
  ] as const) {
    const Y = answer(
      new Int8Array(r * dIn).fill(127),
      new Int8Array(2 * r).fill(127).fill(-127, r),
      new Int16Array(dIn).fill(32767),
      1,
      dIn,
      2,
      r,
    );
    assert.deepEqual([...Y], [yMax(r, dIn), -yMax(r, dIn)]);
  }
});

test("dequantised answers stay close to scale * B * A * x", () => {
  const real = fc.double({ min: -4, max: 4, noNaN: true });
  const inputs = shape.chain(([tokens, dIn, dOut, r]) =>
    fc.record({
      size: fc.constant([tokens, dIn, dOut, r] as const),
      A: list(real, r * dIn),
      B: list(real, dOut * r),
      x: list(real, tokens * dIn),
    }),
  );
  fc.assert(
    fc.property(inputs, ({ size: [tokens, dIn, dOut, r], ...values }) => {
      const [A, B, x] = [values.A, values.B, values.x].map((list) => Float64Array.from(list)) as [
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      const { Aq, Bq, b } = quantiseAdapterModule({ A, B, r, dIn, dOut, scale: 0.5 });
      const { X, sigma } = quantiseActivations(x, tokens, dIn);
      const delta = dequantise(answer(Aq, Bq, X, tokens, dIn, dOut, r), sigma, b, tokens, dOut);
      for (let t = 0; t < tokens; t++)
        for (let j = 0; j < dOut; j++) {
          let exact = 0;
          for (let k = 0; k < r; k++)
            for (let i = 0; i < dIn; i++) exact += 0.5 * B[j * r + k]! * A[k * dIn + i]! * x[t * dIn + i]!;
          // Three relative errors of at most half a step each, on terms of at most 0.5 * 4 * 4 * 4.
          const bound = 32 * r * dIn * (0.5 / 127 + 0.5 / 127 + 0.5 / 32767) * 1.02 + 1e-6;
          assert.ok(Math.abs(delta[t * dOut + j]! - exact) <= bound);
        }
    }),
    { numRuns: 100 },
  );
});
