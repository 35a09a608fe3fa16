/** A buyer that looks at nothing before it pays in: what happens to it shows what the checks are worth. */
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { readAgreement } from "../../chain/agreements.ts";
import { openAgreement } from "../../chain/escrow.ts";
import { chainTime } from "../../chain/finality.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { type Offer, type Receipt, statementsHash, typedData } from "../../protocol/typedData.ts";
import { PRICE, type World } from "../world.ts";
import type { SignedReceipt } from "./wireBuyer.ts";

const TOKENS = 10n;
const HOUR = 3600n;

/** What a careless buyer's agreement owes for its one receipt, wei. */
export const CARELESS_PAY = TOKENS * PRICE;

/** The world's stranger takes an offer of the adapter and signs a receipt for the statements. */
export async function carelessPurchase(
  world: World,
  adapterId: Hex,
  V: readonly Uint8Array[],
): Promise<Pick<SignedReceipt, "receipt" | "signature">> {
  const { contributor, stranger, domain } = world;
  const now = await chainTime(stranger.ctx);
  const offer: Offer = {
    adapterId,
    payout: contributor.account.address,
    token: `0x${"0".repeat(40)}`,
    pricePerToken: PRICE,
    openingFee: 0n,
    maxUnpaidTokens: 64n,
    tokenCap: 1000n,
    minDuration: HOUR,
    closeWindow: HOUR,
    maxOpens: 1n,
    nonce: 0n,
    expiry: now + HOUR,
  };
  const signer = privateKeyToAccount(generatePrivateKey());
  const { agreementId } = await openAgreement(stranger.ctx, {
    offer,
    signature: await contributor.account.signTypedData(typedData(domain, "Offer", offer) as never),
    signer: signer.address,
    amount: CARELESS_PAY,
    deadline: now + 2n * HOUR,
    nonce: 0n,
  });
  const receipt: Receipt = {
    agreementId,
    passes: 1n,
    tokens: TOKENS,
    head: adapterId,
    statementsHash: statementsHash(V),
  };
  const signature = await signer.signTypedData(typedData(domain, "Receipt", receipt) as never);
  return { receipt, signature };
}

/** Demands that the careless buyer lost its money: else there was no attack to stop. */
export async function requireRobbed(world: World, agreementId: Hex): Promise<void> {
  const { paid } = await readAgreement(world.stranger.ctx, agreementId);
  if (paid !== CARELESS_PAY) throw new Error("the careless buyer lost nothing: nothing was attacked");
}
