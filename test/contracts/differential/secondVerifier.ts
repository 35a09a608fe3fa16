/**
 * A second verifier, from ILoraVerifier's documentation and EIP-197's encoding alone: pairing, curves and subgroup checks
 * of @noble/curves, keccak of ethers. Nothing of runner/ or contracts/ is used.
 */
import { bn254 } from "@noble/curves/bn254.js";
import { AbiCoder, keccak256 } from "ethers";

const P = bn254.fields.Fr.ORDER;
const Q = bn254.fields.Fp.ORDER;
const { Fp12 } = bn254.fields;
export const G1 = bn254.G1.Point;
export const G2 = bn254.G2.Point;
export type G1Point = InstanceType<typeof G1>;
export type G2Point = InstanceType<typeof G2>;

/** alpha1, beta2, gamma2, delta2 as the 14 words of a verifier's code. */
export type KeyWords = readonly bigint[];
/** V, a, b, c as the ten words of calldata. */
export type ClaimWords = readonly bigint[];

interface Pair {
  g1: G1Point;
  g2: G2Point;
}

/** The point of two words; undefined if it is malformed, infinite or off the curve. */
export function g1Of([x, y]: readonly bigint[]): G1Point | undefined {
  if (x! >= Q || y! >= Q || (x === 0n && y === 0n)) return undefined;
  return validPoint(() => G1.fromAffine({ x: x!, y: y! }));
}

/** The same of four words (x_im, x_re, y_im, y_re); a point outside the subgroup is malformed too. */
export function g2Of(words: readonly bigint[]): G2Point | undefined {
  const [xIm, xRe, yIm, yRe] = words as [bigint, bigint, bigint, bigint];
  if (words.some((word) => word >= Q) || words.every((word) => word === 0n)) return undefined;
  const name = words.join();
  if (!seen.has(name))
    seen.set(
      name,
      validPoint(() => G2.fromAffine({ x: { c0: xRe, c1: xIm }, y: { c0: yRe, c1: yIm } })),
    );
  return seen.get(name);
}

/** Points of G2 by their words: that their order is P takes as long as a pairing. */
const seen = new Map<string, G2Point | undefined>();

/** assertValidity checks the curve; a point of G2 must be of order P besides. */
function validPoint<Point extends G1Point | G2Point>(make: () => Point): Point | undefined {
  try {
    const point = make();
    point.assertValidity();
    return point.isTorsionFree() ? point : undefined;
  } catch {
    return undefined;
  }
}

export function wordsOfG1(point: G1Point): bigint[] {
  const { x, y } = point.toAffine();
  return [x, y];
}

export function wordsOfG2(point: G2Point): bigint[] {
  const { x, y } = point.toAffine();
  return [x.c1, x.c0, y.c1, y.c0];
}

interface Key {
  alpha: G1Point;
  beta: G2Point;
  gamma: G2Point;
  delta: G2Point;
}

function keyOf(words: KeyWords): Key | undefined {
  const alpha = g1Of(words.slice(0, 2));
  const [beta, gamma, delta] = [2, 6, 10].map((at) => g2Of(words.slice(at, at + 4)));
  return alpha && beta && gamma && delta && { alpha, beta, gamma, delta };
}

interface Claim {
  V: G1Point;
  a: G1Point;
  b: G2Point;
  c: G1Point;
}

function claimOf(words: ClaimWords): Claim | undefined {
  const [V, a, c] = [0, 2, 8].map((at) => g1Of(words.slice(at, at + 2)));
  if (V === undefined || a === undefined || c === undefined) return undefined;
  const b = g2Of(words.slice(4, 8));
  return b && { V, a, b, c };
}

/** Whether every point of the claim is canonical, finite, on its curve and of order P. */
export function isWellFormed(claim: ClaimWords): boolean {
  return claimOf(claim) !== undefined;
}

function productIsOne(pairs: Pair[]): boolean {
  // A pair with infinity contributes one.
  const finite = pairs.filter(({ g1 }) => !g1.is0());
  return Fp12.eql(bn254.pairingBatch(finite), Fp12.ONE);
}

/** e(a, b) = e(alpha, beta) e(V, gamma) e(c, delta); false for anything malformed. */
export function verify(keyWords: KeyWords, words: ClaimWords): boolean {
  const key = keyOf(keyWords);
  const claim = claimOf(words);
  if (key === undefined || claim === undefined) return false;
  return productIsOne([
    { g1: claim.a, g2: claim.b },
    { g1: key.alpha.negate(), g2: key.beta },
    { g1: claim.V.negate(), g2: key.gamma },
    { g1: claim.c.negate(), g2: key.delta },
  ]);
}

/** r_g of a batch. */
export function weight(seed: string, position: number): bigint {
  const r =
    BigInt(keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32", "uint256"], [seed, position]))) % P;
  return r === 0n ? 1n : r;
}

/** prod e(r_g a_g, b_g) = e(sum r_g alpha, beta) e(sum r_g V_g, gamma) e(sum r_g c_g, delta). */
export function verifyBatch(keyWords: KeyWords, seed: string, batch: readonly ClaimWords[]): boolean {
  const key = keyOf(keyWords);
  const claims = batch.map(claimOf);
  if (key === undefined || batch.length === 0 || claims.some((claim) => claim === undefined)) return false;
  const pairs: Pair[] = [];
  let [sumR, sumV, sumC] = [0n, G1.ZERO, G1.ZERO];
  for (const [g, claim] of claims.entries()) {
    const r = weight(seed, g);
    pairs.push({ g1: claim!.a.multiply(r), g2: claim!.b });
    sumR = (sumR + r) % P;
    sumV = sumV.add(claim!.V.multiply(r));
    sumC = sumC.add(claim!.c.multiply(r));
  }
  pairs.push(
    { g1: key.alpha.multiplyUnsafe(sumR).negate(), g2: key.beta },
    { g1: sumV.negate(), g2: key.gamma },
    { g1: sumC.negate(), g2: key.delta },
  );
  return productIsOne(pairs);
}
