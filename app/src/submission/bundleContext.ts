/** What a bundle is held against, read from the chain: its agreement's signer, its adapter's key and groups. */
import { type Agreement, requireAgreement } from "../../../runner/chain/agreements.ts";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { deploymentDomain } from "../../../runner/chain/deploymentFile.ts";
import { readAdapter } from "../../../runner/chain/registry.ts";
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import type { VerificationContext } from "../verification/checkBundle.ts";
import { keyOfVerifier, type ReleaseKey } from "../verification/releaseKey.ts";

export interface BundleContext {
  agreement: Agreement;
  /** Without the names of modules: the chain does not know them. */
  context: VerificationContext;
}

/** @throws DeltapayError `chain/...`, `contract/...`, `chain/unknown-verifier` */
export async function readBundleContext(
  ctx: ChainContext,
  release: readonly ReleaseKey[],
  { agreementId }: Pick<ProofBundle, "agreementId">,
): Promise<BundleContext> {
  const agreement = await requireAgreement(ctx, agreementId);
  const adapter = await readAdapter(ctx, agreement.adapterId);
  const key = adapter && keyOfVerifier(release, adapter.verifier, adapter.verifierCodeHash);
  if (adapter === undefined || key === undefined)
    throw new DeltapayError("chain/unknown-verifier", "the adapter's verifier is none of this release", {
      field: "verifier",
      hint: "this page cannot check its proofs; use the release the adapter was registered with",
    });
  const context = {
    domain: deploymentDomain(ctx.deployment),
    agreementId,
    signer: agreement.signer,
    vkHash: key.vkHash,
    groups: adapter.groups,
    modules: [],
  };
  return { agreement, context };
}
