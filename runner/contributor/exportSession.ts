/** An ended session with its witnesses, for proving it somewhere else. What it returns is secret. */
import { type Hex, pointWords } from "../protocol/bytes.ts";
import { decodeState } from "../protocol/sessionState.ts";
import { groupWitness } from "../protocol/statement.ts";
import { PROTOCOL_VERSION } from "../protocol/tags.ts";
import type { Domain } from "../protocol/typedData.ts";
import type { ProvableSession } from "../wire/sessionFile.ts";
import type { ServedAdapter } from "./adapters.ts";
import { beginProving } from "./beginProving.ts";
import type { ContributorData } from "./dataFolder.ts";
import { ReceiptStore } from "./store/receipts.ts";

/**
 * Takes no more receipts and hands out what proves the newest. It goes into `sealSession` and nowhere else.
 * @throws DeltapayError `session/no-receipt`, `session/still-serving`, `session/unknown-agreement`
 */
export function exportSession(
  data: ContributorData,
  domain: Domain,
  { layout, manifest, weights, blinds }: Pick<ServedAdapter, "layout" | "manifest" | "weights" | "blinds">,
  agreementId: Hex,
): ProvableSession {
  const { receipt, signature, statements } = beginProving(data, agreementId);
  const state = decodeState(layout, new ReceiptStore(data.database).readState(agreementId)!);
  return {
    protocol: PROTOCOL_VERSION,
    chainId: domain.chainId,
    escrow: domain.escrow,
    agreementId,
    vkHash: manifest.vkHash,
    receipt,
    signature,
    V: statements.map((V) => [...pointWords(V)]),
    keySize: layout.keySize,
    modules: layout.modules.map(({ name, group }) => ({ name, group })),
    witnesses: statements.map((_, group) => ({
      group,
      ...groupWitness(layout, weights, blinds, state, group),
    })),
  };
}
