/** What this version of the project vouches for: keys and the verifier contracts they are exported to (protocol 3, 6). */
import type { Hex } from "../../protocol/bytes.ts";
import { ensure } from "../../protocol/errors.ts";
import { type KeyTrust, refuseDevKey } from "../../protocol/keyTrust.ts";
import type { Address } from "../../protocol/typedData.ts";
import type { RegistryEntry } from "../client/discover.ts";

/** One verifier contract of the release and the key in its code. */
export type ReleasedVerifier = KeyTrust & {
  /** L. */
  size: number;
  address: Address;
  codeHash: Hex;
  vkHash: Hex;
};

export interface Release {
  verifiers: readonly ReleasedVerifier[];
}

/**
 * The release's verifier that an adapter settles by. A contract that returns true, a proxy, or a key whose delta someone
 * knows is in no release.
 * @throws DeltapayError `adapter/unknown-verifier`, `adapter/verifier-code`, `key/dev-key`
 */
export function releasedVerifier(
  release: Release,
  entry: Pick<RegistryEntry, "verifier" | "verifierCodeHash">,
  chainId: bigint,
  acceptForgeableDevKey: boolean,
): ReleasedVerifier {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  const found = release.verifiers.find(({ address }) => same(address, entry.verifier));
  const hint = "do not open an agreement: whoever wrote that contract decides which proofs it accepts";
  ensure(
    found !== undefined,
    "adapter/unknown-verifier",
    `this release does not know the verifier ${entry.verifier}`,
    {
      field: "verifier",
      hint,
    },
  );
  ensure(
    same(found.codeHash, entry.verifierCodeHash),
    "adapter/verifier-code",
    `the verifier ${entry.verifier} has other code than this release's`,
    {
      field: "verifierCodeHash",
      hint,
    },
  );
  refuseDevKey(found, chainId, acceptForgeableDevKey);
  return found;
}
