/**
 * BN254 G1 on ffjavascript (WASM, one worker a core).
 *
 * Inside: affine points of 64 bytes, little-endian Montgomery, packed. Outside (files, wire, hashes, chain):
 * 64 bytes big-endian x || y. `decodePoints` is the only way in and checks every point.
 */
import { type Curve, getCurveFromName } from "ffjavascript";
import { writeUintLE } from "./bytes.ts";
import { DeltapayError } from "./errors.ts";
import { P, Q } from "./field.ts";

export type { Curve };
export const POINT_BYTES = 64;

const Q_WORDS = Array.from({ length: 8 }, (_, i) => Number((Q >> BigInt(32 * (7 - i))) & 0xffffffffn));

/** The process-wide curve. Call `curve.terminate()` once at the end: its workers keep a process alive. */
export function loadCurve(): Promise<Curve> {
  return getCurveFromName("bn128");
}

function coordinateIsCanonical(view: DataView, offset: number): boolean {
  for (let word = 0; word < 8; word++) {
    const value = view.getUint32(offset + 4 * word);
    if (value !== Q_WORDS[word]) return value < Q_WORDS[word]!;
  }
  return false;
}

/**
 * Packed inner points from packed big-endian ones. G1 has cofactor 1: on the curve is in the group.
 * @param field how errors name the points; `[i]` is appended
 * @throws DeltapayError `point/bad-length`, `point/not-canonical` (x or y >= q), `point/infinity`, `point/off-curve`
 */
export async function decodePoints(curve: Curve, bytes: Uint8Array, field: string): Promise<Uint8Array> {
  if (bytes.length % POINT_BYTES !== 0)
    throw new DeltapayError("point/bad-length", `${bytes.length} bytes are not whole points`, { field });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / POINT_BYTES;
  for (let i = 0; i < count; i++) {
    const at = i * POINT_BYTES;
    if (!coordinateIsCanonical(view, at) || !coordinateIsCanonical(view, at + 32))
      throw new DeltapayError("point/not-canonical", "a coordinate is not below q", {
        field: `${field}[${i}]`,
      });
    if (bytes.subarray(at, at + POINT_BYTES).every((byte) => byte === 0))
      throw new DeltapayError("point/infinity", "the point at infinity is not allowed", {
        field: `${field}[${i}]`,
      });
  }
  if (count === 0) return new Uint8Array(0);
  const points = await curve.G1.batchUtoLEM(bytes);
  for (let i = 0; i < count; i++)
    if (!curve.G1.isValid(points.subarray(i * POINT_BYTES, (i + 1) * POINT_BYTES)))
      throw new DeltapayError("point/off-curve", "the point is not on the curve", {
        field: `${field}[${i}]`,
      });
  return points;
}

/** Packed big-endian points from packed inner ones. */
export async function encodePoints(curve: Curve, points: Uint8Array): Promise<Uint8Array> {
  return points.length === 0 ? new Uint8Array(0) : curve.G1.batchLEMtoU(points);
}

/** One inner point (affine or Jacobian) as 64 bytes big-endian; infinity becomes zeros. */
export function encodePoint(curve: Curve, point: Uint8Array): Uint8Array {
  if (curve.G1.isZero(point)) return new Uint8Array(POINT_BYTES);
  return curve.G1.toUncompressed(curve.G1.toAffine(point));
}

/** The i-th of packed inner points. */
export function pointAt(points: Uint8Array, i: number): Uint8Array {
  return points.subarray(i * POINT_BYTES, (i + 1) * POINT_BYTES);
}

/** Packed little-endian scalars of `width` bytes. Every value must be in [0, 2^(8 width)). */
export function packScalars(values: ArrayLike<bigint>, width: number): Uint8Array {
  const out = new Uint8Array(values.length * width);
  for (let i = 0; i < values.length; i++) writeUintLE(out, i * width, width, values[i]!);
  return out;
}

/** sum scalars_i * points_i with all scalars of one byte width (16 and 20 bytes cost about half of 32). */
export function multiExp(curve: Curve, points: Uint8Array, scalars: Uint8Array): Promise<Uint8Array> {
  return curve.G1.multiExpAffine(points, scalars);
}

/** A uniformly random scalar from the system's random source. */
export function randomScalar(): bigint {
  // 64 bytes mod p: the bias is below 2^-250
  const bytes = crypto.getRandomValues(new Uint8Array(64));
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value % P;
}
