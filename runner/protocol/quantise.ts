/**
 * Fixed-point arithmetic of the protocol (section 1): int8 weights, int16 activations, exact integer answers.
 *
 * Everything is float64 in the order written, rounded half to even and clamped, so that any two implementations
 * agree to the bit. Pure: runs in a browser too.
 */
import { MAX_ACTIVATION } from "./encoding.ts";
import { DeltapayError, ensure } from "./errors.ts";
import { answerBound } from "./layout.ts";

/** Largest magnitude of a quantised weight. */
export const MAX_WEIGHT = 127;

/** One LoRA module: Delta = scale * B * A * x. */
export interface FloatModule {
  /** r x dIn, row-major. */
  A: Float64Array;
  /** dOut x r, row-major. */
  B: Float64Array;
  r: number;
  dIn: number;
  dOut: number;
  /** alpha / r, or alpha / sqrt(r) with rank-stabilised LoRA. */
  scale: number;
}

/** A module as it is committed to. */
export interface QuantisedModule {
  /** r x dIn, row-major, in [-127, 127]. */
  Aq: Int8Array;
  /** dOut x r, row-major, in [-127, 127]. */
  Bq: Int8Array;
  /** dOut row scales, finite, >= 0, never -0. */
  b: Float64Array;
}

/** Activations as they cross the wire, with the scales that stay with the buyer. */
export interface QuantisedActivations {
  /** tokens x dIn, row-major, in [-32767, 32767]. */
  X: Int16Array;
  /** One scale a token, >= 0. */
  sigma: Float64Array;
}

// Adding 1.5 * 2^52 leaves no fraction bits, so the addition itself rounds half to even (|value| < 2^51).
const ROUNDER = 6755399441055744;

/** `value` rounded half to even and clamped to [-limit, limit]; `limit` < 2^51. */
function roundClamped(value: number, limit: number): number {
  if (value >= limit) return limit;
  if (value <= -limit) return -limit;
  return value + ROUNDER - ROUNDER;
}

/** max |values[from..from+length)|; NaN and infinities surface as a non-finite result. */
function maxAbs(values: Float64Array | Float32Array, from: number, length: number): number {
  let max = 0;
  for (let i = from; i < from + length; i++) {
    const size = Math.abs(values[i]!);
    if (!(size <= max)) max = size;
    if (Number.isNaN(max)) return max;
  }
  return max;
}

/** Quantises one row against its own scale; a zero scale (a zero row, or one too small to scale) gives zeros. */
function quantiseRow(
  from: Float64Array | Float32Array,
  to: Int8Array | Int16Array,
  row: number,
  width: number,
  scale: number,
  limit: number,
): void {
  if (scale === 0) return;
  for (let i = row * width; i < (row + 1) * width; i++) to[i] = roundClamped(from[i]! / scale, limit);
}

/**
 * Y_MAX, the bound on |y| of a module of rank `r` with `dIn` inputs.
 * @throws DeltapayError `quantise/shape-too-large` when it is not below 2^53, where float64 stops being exact
 */
export function yMax(r: number, dIn: number): number {
  for (const [field, value] of [
    ["r", r],
    ["dIn", dIn],
  ] as const)
    ensure(
      Number.isSafeInteger(value) && value > 0,
      "quantise/bad-shape",
      `${field} = ${value} is not a positive integer`,
      { field },
    );
  const bound = answerBound({ r, dIn });
  ensure(
    bound < 2 ** 53,
    "quantise/shape-too-large",
    `answers of a module with r = ${r}, dIn = ${dIn} may reach ${bound}, not below 2^53`,
    {
      field: "r",
      hint: "use a smaller rank; r * dIn must not exceed 17,042,984",
    },
  );
  return bound;
}

/** Checks that an array has `rows * columns` entries. */
function checkLength(array: ArrayLike<unknown>, rows: number, columns: number, field: string): void {
  ensure(
    array.length === rows * columns,
    "quantise/bad-length",
    `${field} has ${array.length} entries, expected ${rows} x ${columns}`,
    {
      field,
    },
  );
}

/**
 * Quantises a module: A_q = round(A / a), B_q = round((scale * B * a) / b).
 * @throws DeltapayError `quantise/bad-length`, `quantise/not-finite`, `quantise/shape-too-large`
 */
export function quantiseAdapterModule(module: FloatModule): QuantisedModule {
  const { A, B, r, dIn, dOut, scale } = module;
  yMax(r, dIn);
  checkLength(A, r, dIn, "A");
  checkLength(B, dOut, r, "B");
  ensure(Number.isFinite(scale), "quantise/not-finite", `scale is ${scale}`, { field: "scale" });

  const Aq = new Int8Array(r * dIn);
  const a = new Float64Array(r);
  for (let k = 0; k < r; k++) {
    const max = maxAbs(A, k * dIn, dIn);
    ensure(Number.isFinite(max), "quantise/not-finite", `row ${k} of A is not finite`, { field: "A" });
    a[k] = max / MAX_WEIGHT;
    quantiseRow(A, Aq, k, dIn, a[k]!, MAX_WEIGHT);
  }

  const scaled = new Float64Array(dOut * r);
  for (let j = 0; j < dOut; j++)
    for (let k = 0; k < r; k++) scaled[j * r + k] = scale * B[j * r + k]! * a[k]!;
  const Bq = new Int8Array(dOut * r);
  const b = new Float64Array(dOut);
  for (let j = 0; j < dOut; j++) {
    const max = maxAbs(scaled, j * r, r);
    ensure(Number.isFinite(max), "quantise/not-finite", `row ${j} of scale * B is not finite`, {
      field: "B",
    });
    b[j] = max / MAX_WEIGHT;
    quantiseRow(scaled, Bq, j, r, b[j]!, MAX_WEIGHT);
  }
  return { Aq, Bq, b };
}

/**
 * Quantises activations, tokens x dIn row-major, each token against its own largest magnitude.
 * @throws DeltapayError `quantise/not-finite` naming token and column
 */
export function quantiseActivations(
  x: Float32Array | Float64Array,
  tokens: number,
  dIn: number,
): QuantisedActivations {
  checkLength(x, tokens, dIn, "x");
  const X = new Int16Array(tokens * dIn);
  const sigma = new Float64Array(tokens);
  for (let t = 0; t < tokens; t++) {
    const max = maxAbs(x, t * dIn, dIn);
    if (!Number.isFinite(max)) refuseNotFinite(x, t, dIn);
    sigma[t] = max / MAX_ACTIVATION;
    quantiseRow(x, X, t, dIn, sigma[t]!, MAX_ACTIVATION);
  }
  return { X, sigma };
}

function refuseNotFinite(x: Float32Array | Float64Array, token: number, dIn: number): never {
  const row = x.subarray(token * dIn, (token + 1) * dIn);
  const column = row.findIndex((value) => !Number.isFinite(value));
  throw new DeltapayError(
    "quantise/not-finite",
    `activation at token ${token}, column ${column} is ${row[column]}`,
    {
      field: `x[${token}][${column}]`,
      hint: "the base model's own run produced it; check its weights and inputs",
    },
  );
}

/**
 * The contributor's answer Y = B_q * A_q * x for every token, tokens x dOut row-major, exact integers, never -0.
 * @throws DeltapayError `quantise/bad-length`, `quantise/out-of-range` (an activation of -32768), `quantise/shape-too-large`
 */
export function answer(
  Aq: Int8Array,
  Bq: Int8Array,
  X: Int16Array,
  tokens: number,
  dIn: number,
  dOut: number,
  r: number,
): Float64Array {
  yMax(r, dIn);
  checkLength(Aq, r, dIn, "Aq");
  checkLength(Bq, dOut, r, "Bq");
  checkActivations(X, tokens, dIn);
  const Y = new Float64Array(tokens * dOut);
  const x = new Float64Array(dIn);
  const h = new Float64Array(r);
  const y = new Float64Array(dOut);
  for (let t = 0; t < tokens; t++) {
    x.set(X.subarray(t * dIn, (t + 1) * dIn));
    multiply(Aq, x, h);
    multiply(Bq, h, y);
    Y.set(y, t * dOut);
  }
  return Y;
}

/**
 * Checks received activations: length, and no -32768.
 * @throws DeltapayError `quantise/bad-length`, `quantise/out-of-range`
 */
export function checkActivations(X: Int16Array, tokens: number, dIn: number): void {
  checkLength(X, tokens, dIn, "X");
  const at = X.indexOf(-MAX_ACTIVATION - 1);
  ensure(
    at < 0,
    "quantise/out-of-range",
    `activation at token ${Math.floor(at / dIn)}, column ${at % dIn} is -32768`,
    {
      field: "X",
    },
  );
}

/**
 * out = matrix (out.length x vector.length) times vector. Exact, so the order of additions is free: four rows at a time
 * keep the processor busy. Sums start at +0, so -0 cannot appear.
 */
function multiply(matrix: Int8Array, vector: Float64Array, out: Float64Array): void {
  const width = vector.length;
  const blocked = out.length - (out.length % 4);
  for (let row = 0, at = 0; row < blocked; row += 4, at += 4 * width) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let i = 0; i < width; i++) {
      const v = vector[i]!;
      s0 += matrix[at + i]! * v;
      s1 += matrix[at + width + i]! * v;
      s2 += matrix[at + 2 * width + i]! * v;
      s3 += matrix[at + 3 * width + i]! * v;
    }
    out[row] = s0;
    out[row + 1] = s1;
    out[row + 2] = s2;
    out[row + 3] = s3;
  }
  for (let row = blocked; row < out.length; row++) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += matrix[row * width + i]! * vector[i]!;
    out[row] = sum;
  }
}

/**
 * Delta[t,j] = sigma_t * b_j * y[t,j], tokens x dOut row-major, as float32 for the base model.
 * @throws DeltapayError `quantise/bad-length`
 */
export function dequantise(
  Y: Float64Array,
  sigma: Float64Array,
  b: Float64Array,
  tokens: number,
  dOut: number,
): Float32Array {
  checkLength(Y, tokens, dOut, "Y");
  checkLength(sigma, tokens, 1, "sigma");
  checkLength(b, dOut, 1, "b");
  const delta = new Float32Array(tokens * dOut);
  for (let t = 0, at = 0; t < tokens; t++)
    for (let j = 0; j < dOut; j++, at++) delta[at] = sigma[t]! * b[j]! * Y[at]!;
  return delta;
}
