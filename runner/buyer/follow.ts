/** An agreement as the buyer sees it, here and on chain, and the ways out of it. */
import type { Hex } from "../protocol/bytes.ts";
import type { BuyerChain, ChainAgreement } from "./chainView.ts";
import type { BuyerStore } from "./store/store.ts";
import type { StoredAgreement } from "./store/storedRows.ts";

export interface AgreementStatus extends StoredAgreement {
  /** At the newest block. */
  chain: ChainAgreement;
  /** What the last receipt covers, and whether the contributor acknowledged it. */
  receipt: { passes: bigint; tokens: bigint; accepted: boolean } | null;
  /** What that receipt is worth: min(tokens x price, amount). */
  owed: bigint;
  /** Of `amount`, not yet credited to the contributor. */
  unsettled: bigint;
}

/** @throws DeltapayError `agreement/unknown`, `chain/...` */
export async function agreementStatus(
  chain: Pick<BuyerChain, "readAgreement">,
  store: BuyerStore,
  agreementId: Hex,
): Promise<AgreementStatus> {
  const stored = store.agreement(agreementId);
  const onChain = await chain.readAgreement(stored.terms.agreementId, "newest");
  const last = store.lastReceipt(stored.terms.agreementId);
  const { amount, offer } = stored.terms;
  const worth = (last?.receipt.tokens ?? 0n) * offer.pricePerToken;
  return {
    ...stored,
    chain: onChain,
    receipt:
      last === undefined
        ? null
        : { passes: last.receipt.passes, tokens: last.receipt.tokens, accepted: last.accepted },
    owed: worth < amount ? worth : amount,
    unsettled: onChain.amount - onChain.paid,
  };
}

/**
 * Those of these agreements that can still be used. One that the chain has ended for good counts as ended here from now on: a
 * deadline passes without a word to this folder.
 * @throws DeltapayError `chain/...`
 */
export async function stillOpen(
  chain: Pick<BuyerChain, "readAgreement" | "time">,
  store: BuyerStore,
  agreements: readonly StoredAgreement[],
): Promise<StoredAgreement[]> {
  if (agreements.length === 0) return [];
  const now = await chain.time("final");
  const open: StoredAgreement[] = [];
  for (const agreement of agreements) {
    const { agreementId } = agreement.terms;
    const { status, deadline } = await chain.readAgreement(agreementId, "final");
    // A node that is behind may not have it yet.
    const isOver = status === "open" ? deadline < now : status !== "none";
    if (isOver) store.setPhase(agreementId, "ended");
    else open.push(agreement);
  }
  return open;
}

/**
 * Ends an agreement on chain: nothing more is served, and after the close window what is not settled can be refunded.
 * @throws DeltapayError `agreement/unknown`, `contract/...`, `chain/...`
 */
export async function closeAgreement(
  chain: Pick<BuyerChain, "closeAgreement">,
  store: BuyerStore,
  agreementId: Hex,
): Promise<{ txHash: Hex; deadline: bigint }> {
  const { terms } = store.agreement(agreementId);
  const closed = await chain.closeAgreement(terms.agreementId);
  store.setPhase(terms.agreementId, "ended");
  return closed;
}

/**
 * After the deadline turns what is left into the buyer's credit, to be withdrawn.
 * @throws DeltapayError `agreement/unknown`, `contract/...`, `chain/...`
 */
export async function refundAgreement(
  chain: Pick<BuyerChain, "refund">,
  store: BuyerStore,
  agreementId: Hex,
): Promise<{ txHash: Hex; amount: bigint }> {
  const { terms } = store.agreement(agreementId);
  const refunded = await chain.refund(terms.agreementId);
  store.setPhase(terms.agreementId, "ended");
  return refunded;
}
