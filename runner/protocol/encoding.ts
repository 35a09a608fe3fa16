/**
 * Activations and answers as bytes: X int16 LE (T x d_in), Y int64 LE (T x d_out), row-major [t][.].
 * These very bytes travel and are hashed.
 */
import { DeltapayError } from "./errors.ts";

const TWO_32 = 2 ** 32;
export const MAX_ACTIVATION = 32767;

/** X as bytes. @throws DeltapayError `encoding/out-of-range` for -32768. */
export function encodeActivations(X: Int16Array): Uint8Array {
  const out = new Uint8Array(2 * X.length);
  const view = new DataView(out.buffer);
  for (let i = 0; i < X.length; i++) {
    const value = X[i]!;
    if (value < -MAX_ACTIVATION)
      throw new DeltapayError("encoding/out-of-range", "an activation of -32768 is not allowed", {
        field: `X[${i}]`,
      });
    view.setInt16(2 * i, value, true);
  }
  return out;
}

/**
 * X from bytes.
 * @throws DeltapayError `encoding/bad-length`, `encoding/out-of-range` (-32768)
 */
export function decodeActivations(bytes: Uint8Array, count: number): Int16Array {
  if (bytes.length !== 2 * count)
    throw new DeltapayError("encoding/bad-length", `X has ${bytes.length} bytes, expected ${2 * count}`, {
      field: "X",
    });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const X = new Int16Array(count);
  for (let i = 0; i < count; i++) {
    const value = view.getInt16(2 * i, true);
    if (value < -MAX_ACTIVATION)
      throw new DeltapayError("encoding/out-of-range", "an activation of -32768 is not allowed", {
        field: `X[${i}]`,
      });
    X[i] = value;
  }
  return X;
}

/**
 * Y, exact integers held in float64, as bytes. -0 becomes 0.
 * @throws DeltapayError `encoding/out-of-range` for fractions, NaN and integers beyond 2^53
 */
export function encodeAnswers(Y: Float64Array): Uint8Array {
  const out = new Uint8Array(8 * Y.length);
  const view = new DataView(out.buffer);
  for (let i = 0; i < Y.length; i++) {
    const value = Y[i]!;
    if (!Number.isSafeInteger(value))
      throw new DeltapayError("encoding/out-of-range", "an answer is not an exact integer", {
        field: `Y[${i}]`,
      });
    const high = Math.floor(value / TWO_32);
    view.setUint32(8 * i, value - high * TWO_32, true);
    view.setInt32(8 * i + 4, high, true);
  }
  return out;
}

/**
 * Y from bytes, each |y| <= bound.
 * @throws DeltapayError `encoding/bad-length`, `encoding/out-of-range`
 */
export function decodeAnswers(bytes: Uint8Array, count: number, bound: number): Float64Array {
  if (bytes.length !== 8 * count)
    throw new DeltapayError("encoding/bad-length", `Y has ${bytes.length} bytes, expected ${8 * count}`, {
      field: "Y",
    });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const Y = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const value = view.getInt32(8 * i + 4, true) * TWO_32 + view.getUint32(8 * i, true);
    if (!(Math.abs(value) <= bound))
      throw new DeltapayError("encoding/out-of-range", `an answer exceeds Y_MAX = ${bound}`, {
        field: `Y[${i}]`,
      });
    Y[i] = value;
  }
  return Y;
}
