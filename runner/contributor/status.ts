/** The contributor's data folder at a glance. */
import type { Hex } from "../protocol/bytes.ts";
import { type AdapterRecord, listAdapters } from "./adapters.ts";
import type { ContributorData } from "./dataFolder.ts";
import { listOffers, type StoredOffer } from "./offers.ts";
import { type AgreementRecord, AgreementStore } from "./store/agreements.ts";
import { ProofStore } from "./store/proofs.ts";
import { ReceiptStore, type RefusedReceipt } from "./store/receipts.ts";

export interface AgreementStatus extends AgreementRecord {
  /** What the newest receipt covers. */
  receipt: { passes: number; tokens: number } | null;
  /** Tokens served without a receipt. */
  unpaidTokens: number;
  /** What the newest receipt is worth, never above the deposit. */
  owed: bigint;
  proofs: number;
  transactions: Hex[];
  refusedReceipts: RefusedReceipt[];
}

export interface ContributorStatus {
  adapters: AdapterRecord[];
  offers: StoredOffer[];
  agreements: AgreementStatus[];
}

/** Needs no chain and no secrets. */
export function contributorStatus(data: ContributorData): ContributorStatus {
  return {
    adapters: listAdapters(data),
    offers: listOffers(data),
    agreements: new AgreementStore(data.database).list().map((record) => statusOf(data, record)),
  };
}

function statusOf(data: ContributorData, record: AgreementRecord): AgreementStatus {
  const { agreementId, amount, pricePerToken, tokens } = record;
  const receipts = new ReceiptStore(data.database);
  const proofs = new ProofStore(data.database);
  const newest = receipts.newest(agreementId)?.receipt;
  const due = (newest?.tokens ?? 0n) * pricePerToken;
  return {
    ...record,
    receipt: newest === undefined ? null : { passes: Number(newest.passes), tokens: Number(newest.tokens) },
    unpaidTokens: tokens - Number(newest?.tokens ?? 0n),
    owed: due < amount ? due : amount,
    proofs: newest === undefined ? 0 : proofs.claims(agreementId, newest.passes).length,
    transactions: proofs.transactions(agreementId),
    refusedReceipts: receipts.refused(agreementId),
  };
}
