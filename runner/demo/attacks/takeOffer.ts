/** Taking an offer without looking at it. */
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import type { AgreementToOpen } from "../../chain/escrow.ts";
import { chainTime } from "../../chain/finality.ts";
import type { SignedOffer } from "../../wire/messages.ts";
import { PRICE, type World } from "../world.ts";

const AMOUNT = 100n * PRICE;

/** What the buyer sends to take an offer. */
export async function taking(world: World, { offer, signature }: SignedOffer): Promise<AgreementToOpen> {
  const signer = privateKeyToAccount(generatePrivateKey()).address;
  const deadline = (await chainTime(world.buyer.ctx)) + 2n * offer.minDuration;
  return { offer, signature, signer, amount: AMOUNT, deadline, nonce: 0n };
}
