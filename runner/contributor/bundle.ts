/** The proof bundle of an agreement: receipt, signature, V, proofs; nothing secret. */
import { pointWords } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { PROTOCOL_VERSION } from "../protocol/tags.ts";
import type { Domain } from "../protocol/typedData.ts";
import type { ProofBundle } from "../wire/messages.ts";
import type { ServedAdapter } from "./adapters.ts";
import type { AgreementRecord } from "./store/agreements.ts";
import type { ProofStore } from "./store/proofs.ts";
import type { ReceiptStore } from "./store/receipts.ts";

/**
 * The bundle of the newest receipt, once every group is proven.
 * @throws DeltapayError `session/no-receipt`, `session/not-proven`
 */
export function readBundle(
  domain: Domain,
  adapter: Pick<ServedAdapter, "layout" | "manifest">,
  { agreementId }: Pick<AgreementRecord, "agreementId">,
  receipts: ReceiptStore,
  proofs: ProofStore,
): ProofBundle {
  const newest = receipts.newest(agreementId);
  if (newest === undefined)
    throw new DeltapayError("session/no-receipt", "there is no receipt to prove", { field: "agreementId" });
  const claims = proofs.claims(agreementId, newest.receipt.passes);
  if (claims.length !== adapter.layout.groups)
    throw new DeltapayError(
      "session/not-proven",
      `${claims.length} of ${adapter.layout.groups} proofs are made`,
      { field: "agreementId", hint: "ask again when the session is settled" },
    );
  return {
    protocol: PROTOCOL_VERSION,
    chainId: domain.chainId,
    escrow: domain.escrow,
    agreementId,
    vkHash: adapter.manifest.vkHash,
    receipt: newest.receipt,
    signature: newest.signature,
    V: newest.statements.map((V) => [...pointWords(V)]),
    claims,
  };
}
