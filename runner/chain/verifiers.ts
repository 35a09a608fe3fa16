/** The verifier contracts of this release: where CREATE2 puts them, their code, the keys in their code. */
import { pinnedKeys } from "../keys/pinned.ts";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import type { Address } from "../protocol/typedData.ts";
import { contractCode } from "./bytecode.ts";
import { createdAddress } from "./create2.ts";

export interface ReleaseVerifier {
  /** L. */
  size: number;
  /** The same on every chain. */
  address: Address;
  codeHash: Hex;
  vkHash: Hex;
  /** `dev`: anyone can forge proofs under this key; for a local chain only. */
  state: "dev";
}

/** Name of the contract that verifies with the key of size L. */
export function verifierName(size: number): string {
  return `LoraVerifier${size}`;
}

/** All verifiers this version vouches for, by ascending size. */
export function releaseVerifiers(): ReleaseVerifier[] {
  return pinnedKeys().map(({ size, vkHash, state }) => {
    const { bytecode, runtimeCodeHash } = contractCode(verifierName(size));
    return { size, address: createdAddress(bytecode), codeHash: runtimeCodeHash!, vkHash, state };
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
