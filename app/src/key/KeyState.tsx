/** Whether a verifier is this release's, and whom its key asks one to trust. */
import { RELEASE_KEYS } from "virtual:deltapay-release";
import { isLocalChain } from "../../../runner/chain/localChain.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { describeKeyTrust, isForgeable } from "../../../runner/protocol/keyTrust.ts";
import type { Address } from "../../../runner/protocol/typedData.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { Badge, Notice } from "../layout/Panel.tsx";
import { keyOfVerifier, type ReleaseKey } from "../verification/releaseKey.ts";

/** The release's key of a verifier; undefined when the verifier is none of this release. */
export function releaseKeyOf(verifier: Address, codeHash: Hex): ReleaseKey | undefined {
  return keyOfVerifier(RELEASE_KEYS, verifier, codeHash);
}

/** Why nobody should pay for what this verifier accepts on this chain; undefined when there is no such reason. */
function keyProblem(key: ReleaseKey | undefined, chainId: number): string | undefined {
  if (key === undefined)
    return "Its verifier is none of this release: it may accept whatever its maker likes. Do not pay for it.";
  if (isForgeable(key.trust) && !isLocalChain(chainId))
    return "Its key is a dev key: anyone can forge proofs under it. Do not pay for it.";
  return undefined;
}

export function KeyBadge({ releaseKey }: { releaseKey: ReleaseKey | undefined }) {
  if (releaseKey === undefined) return <Badge kind="bad">unknown verifier</Badge>;
  return isForgeable(releaseKey.trust) ? (
    <Badge kind="warn">dev key</Badge>
  ) : (
    <Badge kind="good">ceremony key</Badge>
  );
}

/** The key in words, with a warning where it is not to be trusted. */
export function KeyWords({ releaseKey }: { releaseKey: ReleaseKey | undefined }) {
  const { chainId } = useChain();
  const problem = keyProblem(releaseKey, chainId);
  return (
    <>
      {releaseKey !== undefined && (
        <p className="fine">
          Key of size {releaseKey.size}, {describeKeyTrust(releaseKey.trust)}.
        </p>
      )}
      {problem !== undefined && <Notice kind="bad" title={problem} />}
    </>
  );
}
