/** Verifying one proof of one statement in two ways that share no code: pairings of noble-curves, and snarkjs. */
import { groth16, type VerificationKey } from "snarkjs";
import { combine, type PointG1, type PointG2, pairingIsOne, pointG1, pointG2 } from "../primitives/curve.ts";
import type { CommitKey } from "./commitKey.ts";
import type { Claim, Statement } from "./messages.ts";

interface Points {
  V: PointG1;
  a: PointG1;
  b: PointG2;
  c: PointG1;
}

/** @throws Wrong for coordinates that are no point, as the contract refuses them */
function pointsOf(V: Statement, { a, b, c, group }: Claim): Points {
  const of = (name: string): string => `${name} of group ${group}`;
  return { V: pointG1(V, of("V")), a: pointG1(a, of("A")), b: pointG2(b, of("B")), c: pointG1(c, of("C")) };
}

/** e(A, B) = e(alpha, beta) e(V, gamma) e(C, delta), by noble-curves. @throws Wrong for what is no point */
export function pairingHolds(key: CommitKey, V: Statement, claim: Claim): boolean {
  const points = pointsOf(V, claim);
  return pairingIsOne([
    { g1: points.a, g2: points.b },
    { g1: key.alpha.negate(), g2: key.beta },
    { g1: points.V.negate(), g2: key.gamma },
    { g1: points.c.negate(), g2: key.delta },
  ]);
}

/** The equation of a batch of claims with these weights, one each. @throws Wrong for what is no point */
export function batchHolds(
  key: CommitKey,
  V: readonly Statement[],
  claims: readonly Claim[],
  weights: readonly bigint[],
): boolean {
  const points = claims.map((claim) => pointsOf(V[Number(claim.group)]!, claim));
  const sum = (of: "V" | "c"): PointG1 =>
    combine(
      points.map((point) => point[of]),
      weights,
    );
  return pairingIsOne([
    ...points.map(({ a, b }, i) => ({ g1: combine([a], [weights[i]!]), g2: b })),
    { g1: combine([key.alpha], [weights.reduce((total, r) => total + r, 0n)]).negate(), g2: key.beta },
    { g1: sum("V").negate(), g2: key.gamma },
    { g1: sum("c").negate(), g2: key.delta },
  ]);
}

const decimal = (values: readonly bigint[]): string[] => [...values.map(String), "1"];
/** EIP-197 has the imaginary part first, snarkjs the real one. */
const decimal2 = ([xi, xr, yi, yr]: readonly bigint[]): string[][] => [
  [String(xr), String(xi)],
  [String(yr), String(yi)],
  ["1", "0"],
];

function affine(point: PointG1): bigint[] {
  const { x, y } = point.toAffine();
  return [x, y];
}

function affine2(point: PointG2): bigint[] {
  const { x, y } = point.toAffine();
  return [x.c1, x.c0, y.c1, y.c0];
}

/** The same by snarkjs, V given as the key's only IC point. */
export async function snarkjsVerifies(key: CommitKey, V: Statement, claim: Claim): Promise<boolean> {
  const vk: VerificationKey = {
    protocol: "groth16",
    curve: "bn128",
    nPublic: 0,
    vk_alpha_1: decimal(affine(key.alpha)),
    vk_beta_2: decimal2(affine2(key.beta)),
    vk_gamma_2: decimal2(affine2(key.gamma)),
    vk_delta_2: decimal2(affine2(key.delta)),
    IC: [decimal(V)],
  };
  const proof = {
    pi_a: decimal(claim.a),
    pi_b: decimal2(claim.b),
    pi_c: decimal(claim.c),
    protocol: "groth16",
    curve: "bn128",
  };
  return groth16.verify(vk, [], proof);
}

/** Ends the workers that snarkjs keeps for its next proof; without it the process goes on for ever. */
export async function endSnarkjs(): Promise<void> {
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } | null };
  await curve?.terminate();
}
