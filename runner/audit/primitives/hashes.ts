/** The hash functions of docs/protocol.md 1, on node:crypto and ethers. */
import { createHash } from "node:crypto";
import { AbiCoder, keccak256 } from "ethers";
import { concat, type Hex, readLittleEndian, toHex } from "./bytes.ts";
import { ORDER } from "./curve.ts";

/** 32 bytes: `deltapay/1/` and the name, padded with zeros on the right. */
export function tag(name: string): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes.set(new TextEncoder().encode(`deltapay/1/${name}`));
  return bytes;
}

export function sha256(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export const sha256Hex = (bytes: Uint8Array): Hex => toHex(sha256(bytes));

/** sha(tag, fields…). */
export const sha = (name: string, ...fields: Uint8Array[]): Uint8Array => sha256(tag(name), ...fields);

function shake256(length: number, ...parts: Uint8Array[]): Uint8Array {
  return createHash("shake256", { outputLength: length })
    .update(concat(...parts))
    .digest();
}

/** n integers of 128 bits from a 32-byte seed. */
export function xof(seed: Uint8Array, n: number): bigint[] {
  if (n === 0) return [];
  const stream = shake256(16 * n, seed);
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  return Array.from(
    { length: n },
    (_, i) => view.getBigUint64(16 * i, true) | (view.getBigUint64(16 * i + 8, true) << 64n),
  );
}

/** wide(tag, fields…): a scalar without bias. */
export const wide = (name: string, ...fields: Uint8Array[]): bigint =>
  readLittleEndian(shake256(64, tag(name), ...fields)) % ORDER;

/** keccak256(abi.encode(values…)). */
export function keccakOf(types: readonly string[], values: readonly unknown[]): Hex {
  return keccak256(AbiCoder.defaultAbiCoder().encode(types, values));
}

/** keccak(tag, values…). */
export const taggedKeccak = (name: string, types: readonly string[], values: readonly unknown[]): Hex =>
  keccakOf(["bytes32", ...types], [tag(name), ...values]);
