/** BN254 on @noble/curves: points as docs/protocol.md 1 writes them, sums of multiples, pairings. */
import { pippenger } from "@noble/curves/abstract/curve.js";
import { bn254 } from "@noble/curves/bn254.js";
import { Wrong } from "../problem.ts";
import { bigEndian, concat, readBigEndian } from "./bytes.ts";

const G1 = bn254.G1.Point;
const G2 = bn254.G2.Point;
/** Order of both groups, p of the protocol. */
export const ORDER = bn254.fields.Fr.ORDER;
const FIELD = bn254.fields.Fp.ORDER;

export type PointG1 = InstanceType<typeof G1>;
export type PointG2 = InstanceType<typeof G2>;

export const INFINITY = G1.ZERO;

export const modulo = (value: bigint): bigint => ((value % ORDER) + ORDER) % ORDER;

function coordinate(value: bigint, what: string): bigint {
  if (value < 0n || value >= FIELD) throw new Wrong(`${what}: a coordinate is not below q`);
  return value;
}

/** A finite point of the curve in its one spelling. @throws Wrong, naming `what`, for anything else */
export function pointG1([x, y]: readonly bigint[], what: string): PointG1 {
  const affine = { x: coordinate(x!, what), y: coordinate(y!, what) };
  if (affine.x === 0n && affine.y === 0n) throw new Wrong(`${what} is the point at infinity`);
  try {
    const point = G1.fromAffine(affine);
    point.assertValidity();
    return point;
  } catch {
    throw new Wrong(`${what} is not on the curve`);
  }
}

/** Words in the order of EIP-197. @throws Wrong for what is not a finite point of the subgroup */
export function pointG2(words: readonly bigint[], what: string): PointG2 {
  const [xi, xr, yi, yr] = words.map((word) => coordinate(word, what)) as [bigint, bigint, bigint, bigint];
  if (xi === 0n && xr === 0n && yi === 0n && yr === 0n) throw new Wrong(`${what} is the point at infinity`);
  try {
    const point = G2.fromAffine({ x: { c0: xr, c1: xi }, y: { c0: yr, c1: yi } });
    point.assertValidity();
    return point;
  } catch {
    throw new Wrong(`${what} is not in the group G2`);
  }
}

/** Words of 32 bytes, big-endian. */
export function words(bytes: Uint8Array): bigint[] {
  return Array.from({ length: bytes.length / 32 }, (_, i) =>
    readBigEndian(bytes.subarray(32 * i, 32 * i + 32)),
  );
}

/** Points of 64 bytes each. @param what names the list; a message adds the index */
export function pointsG1(bytes: Uint8Array, what: string): PointG1[] {
  if (bytes.length % 64 !== 0) throw new Wrong(`${what}: ${bytes.length} bytes are no list of points`);
  return Array.from({ length: bytes.length / 64 }, (_, i) =>
    pointG1(words(bytes.subarray(64 * i, 64 * i + 64)), `${what}[${i}]`),
  );
}

/** x and y. */
export function coordinates(point: PointG1): [bigint, bigint] {
  if (point.is0()) return [0n, 0n];
  const { x, y } = point.toAffine();
  return [x, y];
}

export const encodeG1 = (point: PointG1): Uint8Array =>
  concat(...coordinates(point).map((c) => bigEndian(c)));

/** Terms below which plain addition of multiples is quicker than buckets. */
const FEW = 8;

/** Σ scalar·base; scalars are taken mod p. */
export function combine(bases: readonly PointG1[], scalars: readonly bigint[]): PointG1 {
  const used: PointG1[] = [];
  const factors: bigint[] = [];
  for (const [i, base] of bases.entries()) {
    const factor = modulo(scalars[i]!);
    if (factor === 0n || base.is0()) continue;
    used.push(base);
    factors.push(factor);
  }
  if (used.length >= FEW) return pippenger(G1, used, factors);
  return used.reduce((sum, base, i) => sum.add(base.multiply(factors[i]!)), INFINITY);
}

/** Whether the product of e(g1, g2) over all pairs is one. */
export function pairingIsOne(pairs: readonly { g1: PointG1; g2: PointG2 }[]): boolean {
  // noble refuses infinity, whose pairing is one
  const finite = pairs.filter(({ g1, g2 }) => !g1.is0() && !g2.is0());
  return bn254.fields.Fp12.eql(bn254.pairingBatch([...finite]), bn254.fields.Fp12.ONE);
}
