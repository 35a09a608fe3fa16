/**
 * Settlements looked at again. What was final cannot be undone on an honest chain; a local chain can be turned back, a
 * node can lie. Then a receipt that counted as paid, or as lapsed, is settled again.
 */
import type { Hex } from "../protocol/bytes.ts";
import type { OnEvent } from "./events.ts";
import type { Sessions } from "./sessions.ts";
import type { Settlement } from "./settlement.ts";
import type { AgreementRecord } from "./store/agreements.ts";
import { nowSeconds } from "./store/rows.ts";

export interface ReviewOptions {
  sessions: Sessions;
  settlement: Settlement;
  /** Whether an agreement's adapter is served by this process. */
  isServed: (record: AgreementRecord) => boolean;
  onEvent?: OnEvent;
}

/**
 * Looks at every agreement that counts as over and could still settle; those the chain shows unpaid are taken up again.
 * @throws what the chain's node says
 */
export async function reviewSettlements({
  sessions,
  settlement,
  isServed,
  onEvent,
}: ReviewOptions): Promise<void> {
  const { agreements, receipts } = sessions;
  for (const agreementId of agreements.ids(["settled", "closed"])) {
    const record = agreements.get(agreementId);
    if (record.deadline < nowSeconds() || !isServed(record)) continue;
    if (receipts.newest(agreementId) === undefined) continue;
    if (await isUnpaid(sessions, settlement, agreementId)) {
      agreements.setSettlement(agreementId, null);
      const was = record.phase === "settled" ? "settled" : "closed";
      if (agreements.move(agreementId, [was], was === "settled" ? "proving" : "ended"))
        onEvent?.({ type: "reopened", agreementId, was });
    }
  }
}

/** Whether the chain shows the agreement as one that can settle, and its newest receipt as not settled. */
async function isUnpaid(sessions: Sessions, settlement: Settlement, agreementId: Hex): Promise<boolean> {
  const seen = await sessions.watch.look(agreementId);
  // Nothing more is kept of an agreement that is over.
  sessions.watch.forget(agreementId);
  if (seen === undefined) return false;
  const { status, deadline } = seen.agreement;
  if ((status !== "open" && status !== "closing") || seen.now > deadline) return false;
  return !(await settlement.isSettled(agreementId));
}
