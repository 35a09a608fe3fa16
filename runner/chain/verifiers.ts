/** The verifier contracts of this release: where CREATE2 puts them, their code, the keys in their code. */
import { pinnedKeys } from "../keys/pinned.ts";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { type KeyTrust, keyTrust } from "../protocol/keyTrust.ts";
import type { Address } from "../protocol/typedData.ts";
import { contractCode } from "./bytecode.ts";
import { createdAddress } from "./create2.ts";

export type ReleaseVerifier = KeyTrust & {
  /** L. */
  size: number;
  /** The same on every chain. */
  address: Address;
  codeHash: Hex;
  vkHash: Hex;
};

/** Name of the contract that verifies with the key of size L. */
export function verifierName(size: number): string {
  return `LoraVerifier${size}`;
}

/** All verifiers this version vouches for, by ascending size. */
export function releaseVerifiers(): ReleaseVerifier[] {
  return pinnedKeys().map((key) => {
    const { size, vkHash } = key;
    const { bytecode, runtimeCodeHash } = contractCode(verifierName(size));
    return {
      size,
      address: createdAddress(bytecode),
      codeHash: runtimeCodeHash!,
      vkHash,
      ...keyTrust(key),
    };
  });
}

/**
 * The release's verifier at an address, its code seen to be the release's.
 * @throws DeltapayError `chain/unknown-verifier`
 */
export function findReleaseVerifier(address: Address, codeHash: Hex): ReleaseVerifier {
  const found = releaseVerifiers().find(
    (verifier) =>
      verifier.address.toLowerCase() === address.toLowerCase() &&
      verifier.codeHash.toLowerCase() === codeHash.toLowerCase(),
  );
  if (found === undefined)
    throw new DeltapayError("chain/unknown-verifier", `${address} is no verifier of this release`, {
      field: "verifier",
      hint: "do not pay for this adapter: its verifier can accept whatever its maker likes",
    });
  return found;
}
