/** Adapters and agreements as the chain's events tell them. */

import { type Agreement, readAgreement } from "../../../runner/chain/agreements.ts";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { findEvents } from "../../../runner/chain/events.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import type { Address, Offer } from "../../../runner/protocol/typedData.ts";
import { checkRegistration } from "./registration.ts";

export interface ListedAdapter {
  adapterId: Hex;
  contributor: Address;
  verifier: Address;
  verifierCodeHash: Hex;
  vkHash: Hex;
  manifestHash: Hex;
  groups: number;
  /** Where the contributor said the manifest is served; nobody checked it. */
  uri: string;
  blockNumber: bigint;
  /** Agreements opened so far. */
  opened: number;
  /** Tokens of settled receipts, the newest of each agreement counted. */
  settledTokens: bigint;
  settledAgreements: number;
}

export interface ListedAgreement extends Agreement {
  agreementId: Hex;
  offer: Offer;
  openedAt: bigint;
  txHash: Hex;
  /** Newest settled receipt; null when none is. */
  settled: { passes: bigint; tokens: bigint } | null;
}

/**
 * All registered adapters, the newest first, each with how its agreements went.
 * @throws DeltapayError `adapter/other-registration`, `chain/...`
 */
export async function readAdapters(ctx: ChainContext): Promise<ListedAdapter[]> {
  const [registered, opened, settled] = await Promise.all([
    findEvents(ctx, "registry", "AdapterRegistered", {}),
    findEvents(ctx, "escrow", "AgreementOpened", {}),
    findEvents(ctx, "escrow", "ReceiptSettled", {}),
  ]);
  // Receipts are cumulative: of each agreement the largest counts.
  const tokens = new Map<Hex, bigint>();
  for (const { args } of settled)
    if (args.tokens > (tokens.get(args.agreementId) ?? 0n)) tokens.set(args.agreementId, args.tokens);
  const agreements = Map.groupBy(opened, ({ args }) => args.adapterId);
  return registered
    .map(({ args, blockNumber }) => {
      const ids = (agreements.get(args.adapterId) ?? []).map((event) => event.args.agreementId);
      const paid = ids.filter((id) => tokens.has(id));
      const { adapterId, contributor, verifier, verifierCodeHash, vkHash, manifestHash, groups, uri } = args;
      checkRegistration(ctx, adapterId, args);
      return {
        ...{ adapterId, contributor, verifier, verifierCodeHash, vkHash, manifestHash, groups, uri },
        blockNumber,
        opened: ids.length,
        settledAgreements: paid.length,
        settledTokens: paid.reduce((sum, id) => sum + tokens.get(id)!, 0n),
      };
    })
    .reverse();
}

/** Most agreements whose state is read at once. */
const MOST_AGREEMENTS = 100;

/**
 * Agreements a buyer opened, or of one adapter, the newest first; the newest 100.
 * @throws DeltapayError `chain/...`
 */
export async function readAgreements(
  ctx: ChainContext,
  of: { buyer: Address } | { adapterId: Hex },
): Promise<ListedAgreement[]> {
  const opened = await findEvents(ctx, "escrow", "AgreementOpened", of);
  return Promise.all(
    opened
      .slice(-MOST_AGREEMENTS)
      .reverse()
      .map(async ({ args: { agreementId, offer }, blockNumber, transactionHash }) => {
        const [agreement, receipts] = await Promise.all([
          readAgreement(ctx, agreementId),
          findEvents(ctx, "escrow", "ReceiptSettled", { agreementId }, { fromBlock: blockNumber }),
        ]);
        const newest = receipts.reduce<ListedAgreement["settled"]>(
          (best, { args }) =>
            best === null || args.tokens > best.tokens ? { passes: args.passes, tokens: args.tokens } : best,
          null,
        );
        return {
          ...agreement,
          agreementId,
          offer,
          openedAt: blockNumber,
          txHash: transactionHash,
          settled: newest,
        };
      }),
  );
}
