/** Verification of one proof off chain, given its statement V (protocol 3): e(A,B) = e(alpha,beta) e(V,gamma) e(C,delta). */
import type { Curve } from "ffjavascript";
import { type Groth16Proof, groth16, type VerificationKey } from "snarkjs";
import { pointWords } from "../protocol/bytes.ts";
import { decodePoints, loadCurve } from "../protocol/curve.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { P, Q } from "../protocol/field.ts";
import type { CommitKey } from "../protocol/key.ts";

/** What a proof is checked with: a key without its bases. */
export type ProofKey = Omit<CommitKey, "bases">;

/** snarkjs's projective form of an affine point. */
function g1Object(bytes: Uint8Array): string[] {
  return [...pointWords(bytes).map(String), "1"];
}

/** The same of a G2 point in EIP-197 order: snarkjs puts the real part first. */
function g2Object(bytes: Uint8Array): string[][] {
  const [xIm, xRe] = pointWords(bytes.subarray(0, 64)).map(String);
  const [yIm, yRe] = pointWords(bytes.subarray(64)).map(String);
  return [
    [xRe!, xIm!],
    [yRe!, yIm!],
    ["1", "0"],
  ];
}

/** A verification key whose one "public input part" is the statement itself. */
function keyOfStatement(key: ProofKey, statement: Uint8Array): VerificationKey {
  return {
    protocol: "groth16",
    curve: "bn128",
    nPublic: 0,
    vk_alpha_1: g1Object(key.alpha1),
    vk_beta_2: g2Object(key.beta2),
    vk_gamma_2: g2Object(key.gamma2),
    vk_delta_2: g2Object(key.delta2),
    IC: [g1Object(statement)],
  };
}

function checkCoordinate(text: unknown, field: string): void {
  const canonical = typeof text === "string" && /^(?:0|[1-9][0-9]{0,77})$/.test(text) && BigInt(text) < Q;
  ensure(canonical, "proof/not-canonical", `${field} is not a decimal below q`, { field });
}

/** Affine (z = 1), canonical. */
function checkForm(point: unknown, one: unknown, coordinates: unknown[], field: string): void {
  const z = Array.isArray(point) && point.length === 3 ? JSON.stringify(point[2]) : undefined;
  ensure(z === JSON.stringify(one), "proof/not-affine", `${field} is infinity or not affine`, { field });
  for (const coordinate of coordinates) checkCoordinate(coordinate, field);
}

/**
 * Every point is canonical, finite, on its curve and of order p. snarkjs looks at the curve equation alone, and the
 * curve of B has points of other orders.
 * @throws DeltapayError `proof/not-affine`, `proof/not-canonical`, `proof/off-curve`, `proof/wrong-subgroup`
 */
export function checkProofPoints(curve: Curve, proof: Groth16Proof): void {
  const { G1, G2 } = curve;
  for (const name of ["pi_a", "pi_c"] as const) {
    checkForm(proof[name], "1", proof[name].slice(0, 2), name);
    const point = G1.fromObject(proof[name].map(BigInt));
    ensure(!G1.isZero(point) && G1.isValid(point), "proof/off-curve", `${name} is not on the curve`, {
      field: name,
    });
  }
  checkForm(proof.pi_b, ["1", "0"], proof.pi_b.slice(0, 2).flat(), "pi_b");
  const shaped = proof.pi_b.every((pair) => Array.isArray(pair) && pair.length === 2);
  ensure(shaped, "proof/not-canonical", "pi_b has coordinates that are not pairs", { field: "pi_b" });
  const b = G2.fromObject(proof.pi_b.map((pair) => pair.map(BigInt)));
  ensure(!G2.isZero(b) && G2.isValid(b), "proof/off-curve", "pi_b is not on the curve", { field: "pi_b" });
  ensure(G2.isZero(G2.timesScalar(b, P)), "proof/wrong-subgroup", "pi_b is not of order p", {
    field: "pi_b",
  });
}

/**
 * Whether the proof proves the statement under the key.
 * @param statement V, 64 bytes big-endian
 * @returns false for a well-formed proof of something else
 * @throws DeltapayError for anything malformed: `proof/...` as `checkProofPoints`, `point/...` for V
 */
export async function verifyProof(
  key: ProofKey,
  statement: Uint8Array,
  proof: Groth16Proof,
): Promise<boolean> {
  const curve = await loadCurve();
  if (statement.length !== 64)
    throw new DeltapayError("point/bad-length", `V has ${statement.length} bytes, expected 64`, {
      field: "V",
    });
  await decodePoints(curve, statement, "V");
  checkProofPoints(curve, proof);
  return groth16.verify(keyOfStatement(key, statement), [], proof);
}
