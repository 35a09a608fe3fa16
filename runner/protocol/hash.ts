/**
 * The protocol's hashes (protocol, notation).
 *
 * - sha: SHA-256 over a 32-byte tag and fixed-width fields.
 * - xof: n 128-bit little-endian integers read from SHAKE256 of a 32-byte seed.
 * - wide: 64 bytes of SHAKE256 over a tag and fixed-width fields, little-endian, mod p (bias below 2^-250).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { shake256 } from "@noble/hashes/sha3.js";
import { readUintLE, tag } from "./bytes.ts";
import { mod } from "./field.ts";

/** SHA-256 of the bytes. */
export { sha256 };

/** SHA-256(tag padded to 32 bytes || fields). Callers pass fixed-width fields, at most one of them variable. */
export function sha(name: string, ...fields: Uint8Array[]): Uint8Array {
  const hash = sha256.create().update(tag(name));
  for (const field of fields) hash.update(field);
  return hash.digest();
}

/** n 128-bit integers as 16n raw bytes (each little-endian), from SHAKE256(seed). */
export function xof(seed: Uint8Array, n: number): Uint8Array {
  return shake256(seed, { dkLen: 16 * n });
}

/** The i-th integer of an `xof` stream. */
export function xofAt(stream: Uint8Array, i: number): bigint {
  return readUintLE(stream, 16 * i, 16);
}

/** SHAKE256(tag || fields) to 64 bytes, as a little-endian integer mod p. */
export function wide(name: string, ...fields: Uint8Array[]): bigint {
  const hash = shake256.create({ dkLen: 64 }).update(tag(name));
  for (const field of fields) hash.update(field);
  return mod(readUintLE(hash.digest(), 0, 64));
}
