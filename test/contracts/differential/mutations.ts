/** Every way in which a claim, V and its proof as ten words, is changed. */
import { bn254 } from "@noble/curves/bn254.js";
import {
  type ClaimWords,
  G1,
  type G1Point,
  G2,
  type G2Point,
  g1Of,
  g2Of,
  type KeyWords,
  wordsOfG1,
  wordsOfG2,
} from "./secondVerifier.ts";

const P = bn254.fields.Fr.ORDER;
const Q = bn254.fields.Fp.ORDER;
const MAX = 2n ** 256n - 1n;

export interface Mutated {
  /** What was changed, how. */
  name: string;
  words: bigint[];
  /** The same statement proven anew: the only change that may be accepted. */
  sameStatement?: true;
}

/** Numbers below `limit`, the same ones at every run. */
export type Draw = (limit: bigint) => bigint;

const WORDS = ["V.x", "V.y", "a.x", "a.y", "b.xIm", "b.xRe", "b.yIm", "b.yRe", "c.x", "c.y"] as const;
/** Where the points begin in the words, and how many words they have. */
const POINTS = { V: [0, 2], a: [2, 2], b: [4, 4], c: [8, 2] } as const;
type PointName = keyof typeof POINTS;

/** One word changed, in each class of bits and of aliases. */
export function changedWord(word: bigint, draw: Draw): [string, bigint][] {
  const flipped = (bit: bigint): bigint => word ^ (1n << bit);
  return (
    [
      ["lowest bit", flipped(0n)],
      ["bit 1", flipped(1n)],
      ["bit 127", flipped(127n)],
      ["bit 128", flipped(128n)],
      ["highest bit of the field", flipped(253n)],
      ["highest bit", flipped(255n)],
      ["random bit", flipped(draw(256n))],
      ["plus q", word + Q],
      ["plus p", word + P],
      ["plus 5 q", word + 5n * Q <= MAX ? word + 5n * Q : word + 4n * Q],
      ["negated", Q - word],
      ["zero", 0n],
      ["one", 1n],
      ["q", Q],
      ["all ones", MAX],
      ["random", draw(Q)],
    ] satisfies [string, bigint][]
  ).filter(([, changed]) => changed !== word);
}

function withPoint(words: ClaimWords, name: PointName, point: readonly bigint[]): bigint[] {
  const [at, length] = POINTS[name];
  return [...words.slice(0, at), ...point, ...words.slice(at + length)];
}

const pointOf = (words: ClaimWords, name: PointName): bigint[] => {
  const [at, length] = POINTS[name];
  return words.slice(at, at + length);
};

function changedWords(claim: ClaimWords, draw: Draw): Mutated[] {
  return WORDS.flatMap((field, i) =>
    changedWord(claim[i]!, draw).map(([how, word]) => ({
      name: `${field} ${how}`,
      words: claim.with(i, word),
    })),
  );
}

/** A point on the curve of G2 that is not of order P. */
export function outsideSubgroup(draw: Draw): G2Point {
  const { Fp2 } = bn254.fields;
  for (;;) {
    const x = { c0: draw(Q), c1: draw(Q) };
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.mul(x, Fp2.sqr(x)), bn254.G2.Point.CURVE().b));
      const point = G2.fromAffine({ x, y });
      if (!point.isTorsionFree()) return point;
    } catch {
      // x^3 + b is no square: the next x.
    }
  }
}

function changedG1(claim: ClaimWords, other: ClaimWords, draw: Draw): Mutated[] {
  const g1 = ["V", "a", "c"] as const;
  return g1.flatMap((name) => {
    const words = pointOf(claim, name);
    const point = g1Of(words)!;
    const points: [string, G1Point][] = [
      ["doubled", point.double()],
      ["plus the generator", point.add(G1.BASE)],
      ["times a random scalar", point.multiply(1n + draw(P - 1n))],
      ["the generator", G1.BASE],
    ];
    const others = g1.filter((candidate) => candidate !== name);
    const changed: [string, readonly bigint[]][] = [
      ...points.map(([how, value]): [string, bigint[]] => [how, wordsOfG1(value)]),
      ["infinity", [0n, 0n]],
      ["infinity as (q, q)", [Q, Q]],
      ["infinity as (0, 1)", [0n, 1n]],
      ["coordinates exchanged", words.toReversed()],
      ["that of another valid claim", pointOf(other, name)],
      ...others.map((from): [string, bigint[]] => [`the claim's own ${from}`, pointOf(claim, from)]),
    ];
    return changed.map(([how, value]) => ({ name: `${name} ${how}`, words: withPoint(claim, name, value) }));
  });
}

function changedG2(claim: ClaimWords, other: ClaimWords, key: KeyWords, draw: Draw): Mutated[] {
  const [xIm, xRe, yIm, yRe] = pointOf(claim, "b") as [bigint, bigint, bigint, bigint];
  const point = g2Of([xIm, xRe, yIm, yRe])!;
  const stray = outsideSubgroup(draw);
  // Its order divides the cofactor: the sum differs from the point outside the subgroup only.
  const torsion = stray.multiplyUnsafe(P - 1n).add(stray);
  const changed: [string, readonly bigint[]][] = [
    ["negated", wordsOfG2(point.negate())],
    ["doubled", wordsOfG2(point.double())],
    ["plus the generator", wordsOfG2(point.add(G2.BASE))],
    ["the generator", wordsOfG2(G2.BASE)],
    ["infinity", [0n, 0n, 0n, 0n]],
    ["infinity as q", [Q, Q, Q, Q]],
    ["real and imaginary parts exchanged", [xRe, xIm, yRe, yIm]],
    ["those of x exchanged", [xRe, xIm, yIm, yRe]],
    ["those of y exchanged", [xIm, xRe, yRe, yIm]],
    ["x and y exchanged", [yIm, yRe, xIm, xRe]],
    ["conjugated", [Q - xIm, xRe, Q - yIm, yRe]],
    ["outside the subgroup", wordsOfG2(stray)],
    ["of cofactor order", wordsOfG2(torsion)],
    ["plus a point of cofactor order", wordsOfG2(point.add(torsion))],
    ["that of another valid claim", pointOf(other, "b")],
    ...[2, 6, 10].map((at): [string, readonly bigint[]] => [`the key's word ${at}`, key.slice(at, at + 4)]),
  ];
  return changed.map(([how, value]) => ({ name: `b ${how}`, words: withPoint(claim, "b", value) }));
}

/** Groth16 proofs can be made anew by anybody, for the same statement: nothing is gained. */
export function rerandomised(claim: ClaimWords, key: KeyWords, draw: Draw): Mutated[] {
  const a = g1Of(pointOf(claim, "a"))!;
  const b = g2Of(pointOf(claim, "b"))!;
  const c = g1Of(pointOf(claim, "c"))!;
  const delta = g2Of(key.slice(10, 14))!;
  const s = 1n + draw(P - 1n);
  const k = 1n + draw(P - 1n);
  const remade = (name: string, A: G1Point, B: G2Point, C: G1Point): Mutated => ({
    name,
    words: [...pointOf(claim, "V"), ...wordsOfG1(A), ...wordsOfG2(B), ...wordsOfG1(C)],
    sameStatement: true,
  });
  const inverse = bn254.fields.Fr.inv(s);
  return [
    remade("a and b negated", a.negate(), b.negate(), c),
    remade("a / s, s b", a.multiply(inverse), b.multiply(s), c),
    remade("b + k delta, c + k a", a, b.add(delta.multiply(k)), c.add(a.multiply(k))),
  ];
}

/** Attempts at the same that leave a part out. */
function halfRerandomised(claim: ClaimWords, key: KeyWords, draw: Draw): Mutated[] {
  return rerandomised(claim, key, draw).flatMap(({ name, words }) =>
    (["a", "b", "c"] as const)
      .filter((point) => pointOf(words, point).some((word, i) => word !== pointOf(claim, point)[i]))
      .map((point) => ({
        name: `${name}, but ${point} as it was`,
        words: withPoint(words, point, pointOf(claim, point)),
      })),
  );
}

/** All mutations of a claim. @param other another valid claim under the same key */
export function mutationsOf(claim: ClaimWords, other: ClaimWords, key: KeyWords, draw: Draw): Mutated[] {
  const [V, a, c] = (["V", "a", "c"] as const).map((name) => g1Of(pointOf(claim, name))!.negate());
  const negated = [...wordsOfG1(V!), ...wordsOfG1(a!), ...pointOf(claim, "b"), ...wordsOfG1(c!)];
  return [
    ...changedWords(claim, draw),
    ...changedG1(claim, other, draw),
    ...changedG2(claim, other, key, draw),
    ...halfRerandomised(claim, key, draw),
    ...rerandomised(claim, key, draw),
    { name: "V, a and c negated", words: negated },
    { name: "V of another valid claim's proof", words: [...pointOf(claim, "V"), ...other.slice(2)] },
  ];
}
