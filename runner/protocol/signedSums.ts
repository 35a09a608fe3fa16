/** Folded sums x-bar, y-bar as bytes: signed, 32 bytes each, stored as value + 2^255, little-endian. */
import { readUintLE, writeUintLE } from "./bytes.ts";
import { DeltapayError } from "./errors.ts";

/** |y-bar| <= Y_MAX * 2^128 * tokens < 2^245 for 2^64 tokens. */
export const SUM_BYTES = 32;
const SHIFT = 1n << 255n;

/** @throws DeltapayError `encoding/out-of-range` */
export function encodeSums(sums: readonly bigint[]): Uint8Array {
  const out = new Uint8Array(sums.length * SUM_BYTES);
  for (const [i, sum] of sums.entries()) {
    const shifted = sum + SHIFT;
    if (shifted < 0n || shifted >> 256n !== 0n)
      throw new DeltapayError("encoding/out-of-range", "a folded sum does not fit in 256 bits", {
        field: `sums[${i}]`,
      });
    writeUintLE(out, i * SUM_BYTES, SUM_BYTES, shifted);
  }
  return out;
}

/** The sums of bytes whose length the caller has checked. */
export function decodeSums(bytes: Uint8Array): bigint[] {
  return Array.from(
    { length: bytes.length / SUM_BYTES },
    (_, i) => readUintLE(bytes, i * SUM_BYTES, SUM_BYTES) - SHIFT,
  );
}
