/** An honest sale up to its settlement: what attacks on settling start from. */
import { loadServedAdapter } from "../../contributor/adapters.ts";
import type { OfferTerms } from "../../contributor/offers.ts";
import type { Hex } from "../../protocol/bytes.ts";
import type { ModulesPerProof } from "../../protocol/groups.ts";
import type { Claim } from "../../wire/messages.ts";
import { PRICE, type World } from "../world.ts";
import { proveState } from "./settling.ts";
import { type SignedReceipt, WireBuyer } from "./wireBuyer.ts";

const TOKENS = 2;

export interface Sale {
  agreementId: Hex;
  /** Of all that was served. */
  signed: SignedReceipt;
  proven: { V: readonly Uint8Array[]; claims: Claim[] };
  /** What the receipt is worth, wei. */
  due: bigint;
  /** Paid in, wei. */
  amount: bigint;
  keySize: number;
}

/** Sells a few tokens and proves them; nothing is settled yet. */
export async function sell(
  world: World,
  {
    modulesPerProof = "all",
    terms = {},
  }: { modulesPerProof?: ModulesPerProof; terms?: Partial<OfferTerms> } = {},
): Promise<Sale> {
  const { adapterId } = await world.register("kjv-attn", modulesPerProof);
  await world.makeOffer(adapterId, terms);
  const { url } = await world.serve({ adapters: [adapterId] });
  const buyer = await WireBuyer.open(world, url);
  await buyer.pass(TOKENS);
  const signed = await buyer.pay();
  const adapter = loadServedAdapter(world.data, adapterId);
  const { claims } = await proveState(adapter, signed.state);
  return {
    agreementId: buyer.agreementId,
    signed,
    proven: { V: signed.V, claims },
    due: BigInt(TOKENS) * PRICE,
    amount: buyer.amount,
    keySize: adapter.layout.keySize,
  };
}
