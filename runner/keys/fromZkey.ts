/** The public part of a .zkey in the protocol's own form. */
import type { Curve } from "ffjavascript";
import { encodePoints } from "../protocol/curve.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { sha256 } from "../protocol/hash.ts";
import type { CommitKey } from "../protocol/key.ts";
import { committedWires } from "./setup.ts";
import type { Zkey } from "./zkeyFile.ts";

/**
 * Bases and verifying key of a moved key. Converts only: `checkKeyPoints` judges.
 * @throws DeltapayError `key/not-moved`: the key does not have 2L+2 committed wires
 */
export async function commitKeyOf(
  curve: Curve,
  size: number,
  r1cs: Uint8Array,
  zkey: Zkey,
): Promise<CommitKey> {
  if (zkey.nPublic !== committedWires(size))
    throw new DeltapayError(
      "key/not-moved",
      `the key has ${zkey.nPublic} committed wires, not ${committedWires(size)}`,
      {
        field: "key.zkey",
      },
    );
  const ic = await encodePoints(curve, zkey.ic);
  const g1 = (point: Uint8Array): Uint8Array => curve.G1.toUncompressed(point.slice());
  const g2 = (point: Uint8Array): Uint8Array => curve.G2.toUncompressed(point.slice());
  return {
    size,
    r1csHash: sha256(r1cs),
    alpha1: g1(zkey.alpha1),
    beta2: g2(zkey.beta2),
    gamma2: g2(zkey.gamma2),
    delta2: g2(zkey.delta2),
    ic0: ic.slice(0, 64),
    bases: ic.slice(64),
  };
}
