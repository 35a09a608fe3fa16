/** What the admin API answers: public facts of the data folder's rows. No column that holds a secret is read. */
import { pinnedKeys } from "../../keys/pinned.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { type Manifest, manifestLayout } from "../../protocol/manifest.ts";
import type { AdminAdapter, AdminSession } from "../../wire/admin.ts";
import { type AdapterRecord, readManifest } from "../adapters.ts";
import type { AgreementView } from "../chainView.ts";
import type { ContributorData } from "../dataFolder.ts";
import { listOffers } from "../offers.ts";
import type { AgreementStatus } from "../status.ts";
import { all } from "../store/rows.ts";

/** Ceremony state of a key this release pins; `unknown` for any other. */
function keyState(vkHash: Hex): string {
  return pinnedKeys().find((key) => key.vkHash === vkHash)?.state ?? "unknown";
}

/** Tokens served so far against those from which a buyer who chooses them recovers the most exposed module. */
function leakage({ modules }: Manifest, tokensSold: number): AdminAdapter["leakage"] {
  const dInHalf = Math.min(...modules.map(({ shape }) => shape[0])) / 2;
  return { tokensSold, dInHalf, ratio: tokensSold / dInHalf };
}

/** An adapter with everything its owner wants to see. */
export function adapterAnswer(
  data: ContributorData,
  record: AdapterRecord,
  { served, tokensSold }: { served: boolean; tokensSold: number },
): AdminAdapter {
  const manifest = readManifest(data, record.adapterId);
  const { adapterId, name, uri, manifestHash, verifier, verifierCodeHash, registered } = record;
  return {
    ...{ adapterId, name, uri, manifestHash, verifier, verifierCodeHash, registered, served },
    baseModel: manifest.baseModel,
    key: { size: manifest.keySize, vkHash: manifest.vkHash, state: keyState(manifest.vkHash) },
    groups: manifest.groups,
    modules: manifest.modules.map(({ name: module, shape, group }) => ({
      name: module,
      shape: [...shape],
      group,
    })),
    leakage: leakage(manifest, tokensSold),
    offers: listOffers(data, adapterId),
  };
}

/** Proofs of the receipt that covers `passes`, with the time each took. */
function proofTimes(data: ContributorData, agreementId: Hex, passes: number): AdminSession["proofs"] {
  return all<{ group_index: number; prove_ms: number }>(
    data.database,
    "SELECT group_index, prove_ms FROM proof WHERE agreement_id = ? AND passes = ? ORDER BY group_index",
    agreementId,
    passes,
  ).map(({ group_index, prove_ms }) => ({ group: group_index, proveMs: prove_ms }));
}

/** An agreement as its contributor sees it. @param chain the escrow's word, when it was asked and answered */
export function sessionAnswer(
  data: ContributorData,
  status: AgreementStatus,
  chain: AgreementView | undefined,
): AdminSession {
  const { agreementId, adapterId, offerHash, buyer, signer, pricePerToken, amount } = status;
  const { phase, reason, passes, tokens, unpaidTokens, receipt, owed, deadline } = status;
  return {
    ...{ agreementId, adapterId, offerHash, buyer, signer, pricePerToken, amount },
    ...{ phase, reason, passes, tokens, unpaidTokens, receipt, owed, deadline },
    chain: chain === undefined ? null : { status: chain.status, deadline: chain.deadline, paid: chain.paid },
    groups: manifestLayout(readManifest(data, adapterId)).groups,
    proofs: receipt === null ? [] : proofTimes(data, agreementId, receipt.passes),
    transactions: status.transactions,
    settlement: status.settlement,
    refusedReceipts: status.refusedReceipts.map(({ code, refusedAt }) => ({ code, refusedAt })),
  };
}
