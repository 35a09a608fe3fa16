/**
 * e(A, B) = e(alpha_1, beta_2) e(V, gamma_2) e(C, delta_2) on @noble/curves (protocol 3): one thread, no WebAssembly, and
 * another implementation than the one that proves. Every point is checked before it is used.
 */
import { bn254 } from "@noble/curves/bn254.js";
import { pointWords } from "../../../runner/protocol/bytes.ts";
import { DeltapayError, ensure } from "../../../runner/protocol/errors.ts";
import { Q } from "../../../runner/protocol/field.ts";
import type { VerifyingKey } from "../../../runner/protocol/key.ts";
import type { Claim } from "../../../runner/wire/messages.ts";

const G1 = bn254.G1.Point;
const G2 = bn254.G2.Point;
const { Fp12 } = bn254.fields;

type G1Point = InstanceType<typeof G1>;
type G2Point = InstanceType<typeof G2>;

/** Finite, canonical, on its curve and, for G2, of order p; errors as runner/protocol names them. */
function checked<Point extends { assertValidity(): void }>(
  words: readonly bigint[],
  field: string,
  make: () => Point,
): Point {
  ensure(
    words.every((word) => word < Q),
    "point/not-canonical",
    "a coordinate is not below q",
    { field },
  );
  ensure(
    words.some((word) => word !== 0n),
    "point/infinity",
    "the point at infinity is not allowed",
    { field },
  );
  try {
    const point = make();
    point.assertValidity();
    return point;
  } catch (cause) {
    throw new DeltapayError("point/off-curve", "the point is not on the curve, or of another order", {
      field,
      cause,
    });
  }
}

const g1 = (words: readonly [bigint, bigint], field: string): G1Point =>
  checked(words, field, () => G1.fromAffine({ x: words[0], y: words[1] }));

/** In EIP-197 order: imaginary parts first. */
const g2 = (words: readonly [bigint, bigint, bigint, bigint], field: string): G2Point =>
  checked(words, field, () =>
    G2.fromAffine({ x: { c0: words[1], c1: words[0] }, y: { c0: words[3], c1: words[2] } }),
  );

const fourWords = (bytes: Uint8Array): [bigint, bigint, bigint, bigint] => [
  ...pointWords(bytes.subarray(0, 64)),
  ...pointWords(bytes.subarray(64)),
];

/** A key whose points were parsed and checked, once for all its proofs. */
export interface PairingKey {
  alpha: G1Point;
  beta: G2Point;
  gamma: G2Point;
  delta: G2Point;
}

/** @throws DeltapayError `point/...` */
export function pairingKey(vk: VerifyingKey): PairingKey {
  return {
    alpha: g1(pointWords(vk.alpha1), "alpha1"),
    beta: g2(fourWords(vk.beta2), "beta2"),
    gamma: g2(fourWords(vk.gamma2), "gamma2"),
    delta: g2(fourWords(vk.delta2), "delta2"),
  };
}

/**
 * Whether a claim's proof proves the statement.
 * @param V statement of the claim's group, affine
 * @returns false for well-formed points that prove something else
 * @throws DeltapayError `point/not-canonical`, `point/infinity`, `point/off-curve`, naming V, a, b or c
 */
export function proofHolds(
  key: PairingKey,
  V: readonly [bigint, bigint],
  claim: Omit<Claim, "group">,
): boolean {
  const statement = g1(V, "V");
  const [a, b, c] = [g1(claim.a, "a"), g2(claim.b, "b"), g1(claim.c, "c")];
  const product = bn254.pairingBatch([
    { g1: a.negate(), g2: b },
    { g1: key.alpha, g2: key.beta },
    { g1: statement, g2: key.gamma },
    { g1: c, g2: key.delta },
  ]);
  return Fp12.eql(product, Fp12.ONE);
}
