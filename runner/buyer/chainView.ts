/** What the buyer needs of the chain, and how runner/chain gives it. */
import { type Agreement, readAgreement, readOfferState } from "../chain/agreements.ts";
import type { ChainContext } from "../chain/connect.ts";
import { closeAgreement, openAgreement, refund } from "../chain/escrow.ts";
import { chainTime, finalBlock, finalTime } from "../chain/finality.ts";
import { readAdapter } from "../chain/registry.ts";
import type { Hex } from "../protocol/bytes.ts";
import type { Address, Offer } from "../protocol/typedData.ts";
import type { RegistryEntry } from "./client/discover.ts";

/** `final`: the newest block that cannot be undone. */
export type BlockChoice = "newest" | "final";

/** The escrow's agreement; status `none` when there is none at the block asked for. */
export type ChainAgreement = Pick<Agreement, "status" | "signer" | "amount" | "paid" | "deadline">;

export interface BuyerChain {
  /** At the final block; undefined when there is none. */
  readAdapter: (adapterId: Hex) => Promise<RegistryEntry | undefined>;
  readAgreement: (agreementId: Hex, block: BlockChoice) => Promise<ChainAgreement>;
  openAgreement: (args: {
    offer: Offer;
    signature: Hex;
    signer: Address;
    amount: bigint;
    deadline: bigint;
    nonce: bigint;
  }) => Promise<{ txHash: Hex }>;
  /** The buyer ends an agreement; the contributor has until the deadline returned to settle. */
  closeAgreement: (agreementId: Hex) => Promise<{ txHash: Hex; deadline: bigint }>;
  /** After the deadline: what is left becomes the buyer's credit. */
  refund: (agreementId: Hex) => Promise<{ txHash: Hex; amount: bigint }>;
  /** How often an offer was taken, and whether it is cancelled. */
  readOffer: (offer: Offer, block: BlockChoice) => Promise<{ opens: bigint; cancelled: boolean }>;
  /** Unix seconds of the chain. Default block: the newest. */
  time: (block?: BlockChoice) => Promise<bigint>;
}

/** The chain at a connection; its account is the buyer's. */
export function buyerChain(ctx: ChainContext): BuyerChain {
  return {
    readAdapter: async (adapterId) => readAdapter(ctx, adapterId, await finalBlock(ctx)),
    readAgreement: async (agreementId, block) =>
      readAgreement(ctx, agreementId, block === "final" ? await finalBlock(ctx) : undefined),
    openAgreement: (args) => openAgreement(ctx, args),
    closeAgreement: (agreementId) => closeAgreement(ctx, agreementId),
    refund: (agreementId) => refund(ctx, agreementId),
    readOffer: async (offer, block) =>
      readOfferState(ctx, offer, block === "final" ? await finalBlock(ctx) : undefined),
    time: (block) => (block === "final" ? finalTime(ctx) : chainTime(ctx)),
  };
}
