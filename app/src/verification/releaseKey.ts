/** A verifying key of this release as the page carries it: everything a proof is checked with, in about a kilobyte. */
import { fromHex, type Hex } from "../../../runner/protocol/bytes.ts";
import { DeltapayError, ensure } from "../../../runner/protocol/errors.ts";
import { type VerifyingKey, verifyingKeyHash } from "../../../runner/protocol/key.ts";
import type { KeyTrust } from "../../../runner/protocol/keyTrust.ts";
import type { Address } from "../../../runner/protocol/typedData.ts";

export interface ReleaseKey {
  /** L. */
  size: number;
  vkHash: Hex;
  /** Address of the verifier contract, the same on every chain, and the hash of its code. */
  verifier: Address;
  codeHash: Hex;
  trust: KeyTrust;
  r1csHash: Hex;
  /** keccak256 of the commitment bases. */
  basesHash: Hex;
  /** SHA-256 of the proving key and of the witness generator. */
  zkeyHash: Hex;
  wasmHash: Hex;
  /** Uncompressed, big-endian; G2 in EIP-197 order. */
  points: Record<"alpha1" | "beta2" | "gamma2" | "delta2" | "ic0", Hex>;
}

/** The key's bytes, unchecked. @throws DeltapayError `encoding/bad-hex` */
export function decodeVerifyingKey(
  key: Pick<ReleaseKey, "size" | "r1csHash" | "basesHash" | "points">,
): VerifyingKey {
  const { alpha1, beta2, gamma2, delta2, ic0 } = key.points;
  return {
    size: key.size,
    r1csHash: fromHex(key.r1csHash, 32, "r1csHash"),
    basesHash: key.basesHash,
    alpha1: fromHex(alpha1, 64, "alpha1"),
    beta2: fromHex(beta2, 128, "beta2"),
    gamma2: fromHex(gamma2, 128, "gamma2"),
    delta2: fromHex(delta2, 128, "delta2"),
    ic0: fromHex(ic0, 64, "ic0"),
  };
}

/**
 * The release's key with this hash, whose points were seen to hash to it.
 * @throws DeltapayError `key/not-of-release`, `key/not-pinned`
 */
export function requireReleaseKey(
  release: readonly ReleaseKey[],
  vkHash: Hex,
): ReleaseKey & { vk: VerifyingKey } {
  const key = release.find((candidate) => candidate.vkHash === vkHash.toLowerCase());
  if (key === undefined)
    throw new DeltapayError("key/not-of-release", `${vkHash} is the hash of no key of this release`, {
      field: "vkHash",
      hint: "proofs under a key of unknown making prove nothing: whoever made it may know its secrets",
    });
  const vk = decodeVerifyingKey(key);
  ensure(verifyingKeyHash(vk) === key.vkHash, "key/not-pinned", `the page's key ${key.size} is damaged`, {
    field: "vkHash",
    hint: "load the page again, or build it again",
  });
  return { ...key, vk };
}

/** The release's key whose verifier contract this is: address and code. */
export function keyOfVerifier(
  release: readonly ReleaseKey[],
  verifier: Address,
  codeHash: Hex,
): ReleaseKey | undefined {
  return release.find(
    (key) =>
      key.verifier.toLowerCase() === verifier.toLowerCase() &&
      key.codeHash.toLowerCase() === codeHash.toLowerCase(),
  );
}
