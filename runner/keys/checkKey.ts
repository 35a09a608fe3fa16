/** What the protocol needs of a proving key (protocol 3). */
import type { Curve, Group } from "ffjavascript";
import * as snarkjs from "snarkjs";
import { toHex } from "../protocol/bytes.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { P } from "../protocol/field.ts";
import { readZkey, type Zkey } from "./zkeyFile.ts";

const FIELD = "key.zkey";

function points(packed: Uint8Array, width: number): Uint8Array[] {
  return Array.from({ length: packed.length / width }, (_, i) => packed.slice(i * width, (i + 1) * width));
}

/** @throws DeltapayError `key/infinity`, `key/off-curve` */
export function checkFinite(group: Group, point: Uint8Array, name: string): void {
  ensure(!group.isZero(point), "key/infinity", `${name} is the point at infinity`, {
    field: name,
    hint: "the powers of tau do not belong to this circuit: use those of exactly its power",
  });
  ensure(group.isValid(point), "key/off-curve", `${name} is not on the curve`, { field: name });
}

/** @throws DeltapayError `key/infinity`, `key/off-curve`, `key/wrong-subgroup` */
export function checkInG2(curve: Curve, point: Uint8Array, name: string): void {
  checkFinite(curve.G2, point, name);
  ensure(curve.G2.isZero(curve.G2.timesScalar(point, P)), "key/wrong-subgroup", `${name} is not of order p`, {
    field: name,
  });
}

/** Finite, on the curve, and no two equal or opposite: either would be a known relation between bases. */
/** @throws DeltapayError `key/infinity`, `key/off-curve`, `key/repeated-point` */
export function checkDistinct(curve: Curve, packed: Uint8Array, section: string): void {
  const seen = new Map<string, number>();
  for (const [i, point] of points(packed, 64).entries()) {
    checkFinite(curve.G1, point, `${section}[${i}]`);
    const x = toHex(point.subarray(0, 32));
    const twin = seen.get(x);
    ensure(twin === undefined, "key/repeated-point", `${section}[${i}] is ${section}[${twin}] up to sign`, {
      field: `${section}[${i}]`,
    });
    seen.set(x, i);
  }
}

/**
 * The points of a key that may have no contribution yet: finite, on the curve, of order p; bases distinct; gamma the
 * generator.
 * @throws DeltapayError `key/infinity`, `key/off-curve`, `key/wrong-subgroup`, `key/repeated-point`, `key/bad-gamma`
 */
export function checkInitialPoints(curve: Curve, zkey: Zkey): void {
  const { G1, G2 } = curve;
  checkFinite(G1, zkey.alpha1.slice(), "alpha_1");
  checkFinite(G1, zkey.beta1.slice(), "beta_1");
  checkFinite(G1, zkey.delta1.slice(), "delta_1");
  checkInG2(curve, zkey.beta2.slice(), "beta_2");
  checkInG2(curve, zkey.delta2.slice(), "delta_2");
  ensure(G2.eq(zkey.gamma2.slice(), G2.gAffine), "key/bad-gamma", "gamma_2 is not the generator", {
    field: "gamma_2",
  });
  checkDistinct(curve, zkey.ic, "IC");
  checkDistinct(curve, zkey.c, "C");
  checkDistinct(curve, zkey.h, "H");
}

/**
 * The points of a key proofs are made with: as `checkInitialPoints`, and delta is not the generator.
 * @throws DeltapayError `key/bad-delta`, and as `checkInitialPoints`
 */
export function checkKeyPoints(curve: Curve, zkey: Zkey): void {
  // With delta = gamma a proof's C could stand in for any part of V.
  const fresh = curve.G2.eq(zkey.delta2.slice(), curve.G2.gAffine);
  ensure(!fresh, "key/bad-delta", "delta_2 is the generator: nobody contributed", {
    field: "delta_2",
    hint: "contribute to the key, or apply a beacon, before using it",
  });
  checkInitialPoints(curve, zkey);
}

/**
 * The key comes from the rebuilt moved initial key by contributions to delta alone.
 * @throws DeltapayError `key/not-from-initial`, `key/malformed`
 */
export async function checkFromInitial(
  initial: Uint8Array,
  ptau: Uint8Array,
  zkey: Uint8Array,
): Promise<void> {
  const reasons: string[] = [];
  const collect = (message: string): void => void reasons.push(message);
  const logger = { debug: () => {}, info: () => {}, warn: collect, error: collect };
  // snarkjs reads a file that lies about its lengths past its end.
  readZkey(zkey);
  const follows = await snarkjs.zKey.verifyFromInit(initial, ptau, zkey, logger).catch((error: Error) => {
    reasons.push(error.message);
    return false;
  });
  if (follows) return;
  throw new DeltapayError(
    "key/not-from-initial",
    `the key does not follow from its circuit and powers of tau: ${reasons.join("; ") || "a contribution is invalid"}`,
    { field: FIELD, hint: "do not use this key" },
  );
}
