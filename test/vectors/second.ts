/**
 * A second implementation of the protocol's primitives, from docs/protocol.md and other libraries: node:crypto for
 * SHA-256, SHAKE256 and BLAKE2b, @noble/curves for BN254, ethers for keccak and the ABI. Nothing of runner/ is used.
 */
import { createHash } from "node:crypto";
import { bn254 } from "@noble/curves/bn254.js";
import { AbiCoder, keccak256 } from "ethers";

export const P = bn254.fields.Fr.ORDER;
const { Point } = bn254.G1;
export type G1 = InstanceType<typeof Point>;

export const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString("hex")}`;
export const bytes = (text: string): Buffer => Buffer.from(text.slice(2), "hex");
export const cat = (...parts: Uint8Array[]): Buffer => Buffer.concat(parts);
/** Space-separated integers. */
export const integers = (text: string): bigint[] => text.split(" ").map(BigInt);
export const modulo = (value: bigint): bigint => ((value % P) + P) % P;

export function le(value: bigint | number, width: number): Buffer {
  const digits = BigInt(value)
    .toString(16)
    .padStart(2 * width, "0");
  return Buffer.from(digits, "hex").reverse();
}

export function be(value: bigint, width = 32): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * width, "0"), "hex");
}

export function fromLE(buffer: Uint8Array): bigint {
  return BigInt(hex(Buffer.from(buffer).reverse()));
}

export const u32 = (value: bigint | number): Buffer => le(value, 4);

export function tag(text: string): Buffer {
  return Buffer.concat([Buffer.from(text, "utf8")], 32);
}

export function sha256(...parts: Uint8Array[]): Buffer {
  return createHash("sha256")
    .update(cat(...parts))
    .digest();
}

export function shake(length: number, ...parts: Uint8Array[]): Buffer {
  return createHash("shake256", { outputLength: length })
    .update(cat(...parts))
    .digest();
}

export const sha = (name: string, ...fields: Uint8Array[]): Buffer =>
  sha256(tag(`deltapay/1/${name}`), ...fields);

export const wide = (name: string, ...fields: Uint8Array[]): bigint =>
  fromLE(shake(64, tag(`deltapay/1/${name}`), ...fields)) % P;

export function xof(seed: Uint8Array, n: number): bigint[] {
  const stream = shake(16 * n, seed);
  return Array.from({ length: n }, (_, i) => fromLE(stream.subarray(16 * i, 16 * i + 16)));
}

export function blake2b(...parts: Uint8Array[]): Buffer {
  return createHash("blake2b512")
    .update(cat(...parts))
    .digest();
}

export function keccakAbi(types: readonly string[], values: readonly unknown[]): string {
  return keccak256(AbiCoder.defaultAbiCoder().encode(types, values));
}

export const int16 = (values: readonly bigint[]): Buffer =>
  Buffer.concat(values.map((value) => le(BigInt.asUintN(16, value), 2)));

export const int64 = (values: readonly bigint[]): Buffer =>
  Buffer.concat(values.map((value) => le(BigInt.asUintN(64, value), 8)));

export function doubles(values: readonly number[]): Buffer {
  const out = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) out.writeDoubleLE(value, 8 * i);
  return out;
}

/** 64 bytes big-endian. @throws for anything that is not a finite point of the curve in canonical form */
export function point(encoded: Uint8Array): G1 {
  if (encoded.length !== 64) throw new Error("not 64 bytes");
  const [x, y] = [encoded.subarray(0, 32), encoded.subarray(32)].map((part) => BigInt(hex(part)));
  const found = Point.fromAffine({ x: x!, y: y! });
  found.assertValidity();
  if (found.is0()) throw new Error("infinity");
  return found;
}

export function points(encoded: Uint8Array): G1[] {
  return Array.from({ length: encoded.length / 64 }, (_, i) => point(encoded.subarray(64 * i, 64 * i + 64)));
}

export function encodePoint(value: G1): Buffer {
  const { x, y } = value.toAffine();
  return cat(be(x), be(y));
}

export function combine(bases: readonly G1[], scalars: readonly bigint[]): G1 {
  return bases.reduce((sum, base, i) => {
    const scalar = modulo(scalars[i]!);
    return scalar === 0n ? sum : sum.add(base.multiply(scalar));
  }, Point.ZERO);
}

export const generator = Point.BASE;

/** 128 bytes in EIP-197 order: x imaginary, x real, y imaginary, y real. */
export function point2(encoded: Uint8Array) {
  const [xi, xr, yi, yr] = [0, 32, 64, 96].map((at) => BigInt(hex(encoded.subarray(at, at + 32))));
  const found = bn254.G2.Point.fromAffine({ x: { c0: xr!, c1: xi! }, y: { c0: yr!, c1: yi! } });
  found.assertValidity();
  return found;
}

export const generator2 = bn254.G2.Point.BASE;

/** Whether the product of the pairings is one. */
export function pairingHolds(pairs: { g1: G1; g2: ReturnType<typeof point2> }[]): boolean {
  const product = bn254.pairingBatch(pairs);
  return bn254.fields.Fp12.eql(product, bn254.fields.Fp12.ONE);
}

/** Half to even. */
export function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest === 0.5) return floor % 2 === 0 ? floor : floor + 1;
  return rest < 0.5 ? floor : floor + 1;
}
