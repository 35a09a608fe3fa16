/** The contributor's view of a real chain, on runner/chain. */
import { credits, readAgreement, readFinalParty } from "../chain/agreements.ts";
import { type ChainContext, domainOf } from "../chain/connect.ts";
import { withdraw } from "../chain/escrow.ts";
import { chainTime, finalBlock, finalTime } from "../chain/finality.ts";
import { type Opening, readOpening, readSettlements } from "../chain/history.ts";
import { isLocalChain } from "../chain/localChain.ts";
import { readAdapter, registerAdapter } from "../chain/registry.ts";
import { type SettleOptions, settle } from "../chain/settle.ts";
import { requireSender } from "../chain/transact.ts";
import type { Hex } from "../protocol/bytes.ts";
import { messageDigest } from "../protocol/typedData.ts";
import type { BlockChoice, ContributorChain } from "./chainView.ts";

/** Transactions are signed by the context's account: the contributor, or its operator for `settle`. */
export function contributorChain(
  ctx: ChainContext,
  options: Pick<SettleOptions, "waitMs"> = {},
): ContributorChain {
  const { deployment } = ctx;
  /** How agreements were opened never changes once final. */
  const openings = new Map<Hex, Opening>();
  const blockNumber = async (at: BlockChoice): Promise<bigint | undefined> =>
    at === "final" ? finalBlock(ctx) : undefined;
  /** Searches under way: whoever asks meanwhile shares them. */
  const searches = new Map<Hex, Promise<Opening | undefined>>();
  const search = async (agreementId: Hex): Promise<Opening | undefined> => {
    const opening = await readOpening(ctx, agreementId);
    if (opening !== undefined && opening.blockNumber <= (await finalBlock(ctx)))
      openings.set(agreementId, opening);
    return opening;
  };
  const openingOf = async (agreementId: Hex): Promise<Opening | undefined> => {
    const known = openings.get(agreementId);
    if (known !== undefined) return known;
    const shared =
      searches.get(agreementId) ?? search(agreementId).finally(() => searches.delete(agreementId));
    searches.set(agreementId, shared);
    return shared;
  };
  return {
    chainId: BigInt(ctx.chainId),
    registry: deployment.registry,
    escrow: deployment.escrow,
    verifier: (keySize) => deployment.verifiers[String(keySize)],
    readParty: (agreementId) => readFinalParty(ctx, agreementId),
    readAgreement: async (agreementId, at) => {
      const { status, ...agreement } = await readAgreement(ctx, agreementId, await blockNumber(at));
      if (status === "none") return undefined;
      const opening = await openingOf(agreementId);
      return opening && { ...agreement, status, offerHash: opening.offerHash };
    },
    readAdapter: async (adapterId, at) => readAdapter(ctx, adapterId, await blockNumber(at)),
    readSettlement: async (agreementId, receipt) => {
      const receiptHash = messageDigest(domainOf(ctx), "Receipt", receipt);
      const opening = await openingOf(agreementId);
      if (opening === undefined) return undefined;
      // No settlement is older than its agreement; a local chain can be turned back and open it earlier.
      const startBlock = isLocalChain(ctx.chainId) ? deployment.startBlock : opening.blockNumber;
      const since = { ...ctx, deployment: { ...deployment, startBlock } };
      const settlements = await readSettlements(since, agreementId);
      const found = settlements.find((settlement) => settlement.receiptHash === receiptHash);
      return found && { txHash: found.txHash, isFinal: found.blockNumber <= (await finalBlock(ctx)) };
    },
    time: () => chainTime(ctx),
    finalTime: () => finalTime(ctx),
    registerAdapter: (request) => registerAdapter(ctx, request),
    settle: async (request, sending) => {
      const { transactions } = await settle(ctx, request, { ...sending, ...options });
      return { transactions: transactions.map(({ txHash }) => txHash) };
    },
    credit: (token) => credits(ctx, token, requireSender(ctx).account.address),
    withdraw: async (token, to, sending) => {
      const withdrawn = await withdraw(ctx, token, to, { ...sending, ...options });
      return { txHash: withdrawn.txHash, amount: withdrawn.amount, to: withdrawn.to };
    },
  };
}
