/** Fixed-width integers and byte strings. Outside the EVM every integer is little-endian. */
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { DeltapayError } from "./errors.ts";

export type Hex = `0x${string}`;
export { concatBytes };

/** `0x`-prefixed lower-case hex. */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${bytesToHex(bytes)}`;
}

/**
 * Bytes of a `0x`-prefixed hex string, optionally of an exact length.
 * @throws DeltapayError `encoding/bad-hex`
 */
export function fromHex(hex: string, length?: number, field?: string): Uint8Array {
  if (!/^0x(?:[0-9a-fA-F]{2})*$/.test(hex) || (length !== undefined && hex.length !== 2 + 2 * length))
    throw new DeltapayError(
      "encoding/bad-hex",
      `expected ${length === undefined ? "" : `${length} bytes of `}0x-prefixed hex`,
      field === undefined ? {} : { field },
    );
  return hexToBytes(hex.slice(2));
}

/** Unsigned 32-bit integer, 4 bytes little-endian. */
export function u32(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw new DeltapayError("encoding/out-of-range", `${value} does not fit in 32 unsigned bits`);
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value, true);
  return out;
}

/** Unsigned integer as `length` bytes, little-endian. */
export function uintLE(value: bigint, length: number): Uint8Array {
  if (value < 0n || value >> BigInt(8 * length) !== 0n)
    throw new DeltapayError("encoding/out-of-range", `${value} does not fit in ${length} unsigned bytes`);
  const out = new Uint8Array(length);
  writeUintLE(out, 0, length, value);
  return out;
}

/** Writes a non-negative integer into `length` bytes (a multiple of 4 is fastest) at `offset`, little-endian. */
export function writeUintLE(out: Uint8Array, offset: number, length: number, value: bigint): void {
  let rest = value;
  let at = offset;
  const end = offset + length;
  while (at < end) {
    let word = Number(rest & 0xffffffffn);
    rest >>= 32n;
    for (let k = 0; k < 4 && at < end; k++) {
      out[at++] = word & 255;
      word >>>= 8;
    }
  }
}

/** Integer read from `length` bytes at `offset`, little-endian. */
export function readUintLE(bytes: Uint8Array, offset: number, length: number): bigint {
  let value = 0n;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = length;
  while (at % 8 !== 0) value = (value << 8n) | BigInt(bytes[offset + --at]!);
  while (at > 0) {
    at -= 8;
    value = (value << 64n) | view.getBigUint64(offset + at, true);
  }
  return value;
}

/** Whether two byte strings are equal (not constant time: for public values). */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** UTF-8 text zero-padded on the right to 32 bytes: a domain separation tag. */
export function tag(name: string): Uint8Array {
  const text = new TextEncoder().encode(name);
  if (text.length > 32)
    throw new DeltapayError("encoding/out-of-range", `tag '${name}' is longer than 32 bytes`);
  const out = new Uint8Array(32);
  out.set(text);
  return out;
}

/** Takes consecutive parts off a byte string whose length the caller has checked; parts are views, not copies. */
export function takeFrom(bytes: Uint8Array, start = 0): (length: number) => Uint8Array {
  let at = start;
  return (length) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
}

/** A big-endian point as the two words a contract takes. */
export function pointWords(bytes: Uint8Array): readonly [bigint, bigint] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number): bigint => {
    let value = 0n;
    for (let k = 0; k < 4; k++) value = (value << 64n) | view.getBigUint64(at + 8 * k);
    return value;
  };
  return [word(0), word(32)];
}

/** The reverse of `pointWords`. @throws DeltapayError `encoding/out-of-range` */
export function wordsBytes([x, y]: readonly [bigint, bigint]): Uint8Array {
  return concatBytes(uintLE(x, 32).reverse(), uintLE(y, 32).reverse());
}
