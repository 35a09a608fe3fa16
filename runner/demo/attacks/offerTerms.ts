/** Offers changed, signed by another or withdrawn in front of `open`. */
import { encodeFunctionData } from "viem";
import { checkOffer } from "../../buyer/opening/offer.ts";
import { openAgreement } from "../../chain/escrow.ts";
import { loraEscrowAbi } from "../../chain/generated/abi.ts";
import { requireSender, waitFor } from "../../chain/transact.ts";
import type { ServedAdapter } from "../../contributor/adapters.ts";
import { type Offer, typedData } from "../../protocol/typedData.ts";
import type { SignedOffer } from "../../wire/messages.ts";
import { type Party, PRICE, type World } from "../world.ts";
import { type Attack, AttackSucceeded, gainOf, refused } from "./attack.ts";
import { honestAdapter } from "./forgery.ts";
import { taking } from "./takeOffer.ts";

/** The buyer's own check, and the contract's when that is left out. */
async function refusedTwice(
  world: World,
  { record, layout }: ServedAdapter,
  signed: SignedOffer,
): Promise<string> {
  const { adapterId, contributor } = record;
  const context = { domain: world.domain, adapterId, contributor, layout };
  const check = await refused("the offer", "signature/wrong-signer", () => checkOffer(signed, context));
  const chain = await refused("the offer on chain", "contract/offer-not-signed-by-contributor", async () =>
    openAgreement(world.buyer.ctx, await taking(world, signed)),
  );
  return `${check.message}; on chain: ${chain.message}`;
}

const escrowHolds = ({ buyer, domain }: World): Promise<bigint> =>
  buyer.ctx.publicClient.getBalance({ address: domain.escrow });

/** Buyer's `open` and contributor's `cancelOffer` in one block, the latter first. @returns whether `open` went through */
async function cancelInFront(world: World, signed: SignedOffer): Promise<boolean> {
  const { ctx } = world.buyer;
  const { offer, signature, signer, amount, deadline, nonce } = await taking(world, signed);
  const escrow = { to: world.domain.escrow, gas: 1_000_000n };
  const sendAs = (party: Party, call: object) =>
    requireSender(party.ctx).walletClient.sendTransaction(call as never);
  const ask = (method: string, params: unknown[]) => ctx.publicClient.request({ method, params } as never);
  const args = [offer, signature, signer, amount, deadline, nonce] as const;
  const open = encodeFunctionData({ abi: loraEscrowAbi, functionName: "open", args });
  const cancel = encodeFunctionData({ abi: loraEscrowAbi, functionName: "cancelOffer", args: [offer] });
  const tip = 10n ** 10n;
  await ask("evm_setAutomine", [false]);
  try {
    const value = offer.openingFee + amount;
    const opening = await sendAs(world.buyer, { ...escrow, data: open, value, maxPriorityFeePerGas: 1n });
    await sendAs(world.contributor, { ...escrow, data: cancel, maxPriorityFeePerGas: tip });
    await ask("evm_mine", []);
    return (await waitFor(ctx, opening)).status === "success";
  } finally {
    await ask("evm_setAutomine", [true]);
  }
}

export const termsChanged: Attack = {
  name: "terms-changed",
  expected: "terms changed on the way to the buyer or in front of its `open`: refused, and nothing is lost",
  async run(world) {
    const adapter = await honestAdapter(world);
    const made = await world.makeOffer(adapter.record.adapterId);
    const dearer = { ...made, offer: { ...made.offer, pricePerToken: 10n * PRICE } };
    const how = await refusedTwice(world, adapter, dearer);
    const before = await escrowHolds(world);
    if (await cancelInFront(world, made)) throw new AttackSucceeded("a cancelled offer was opened");
    if ((await escrowHolds(world)) !== before) throw new AttackSucceeded("the escrow kept the money");
    return {
      how: `${how}; an offer cancelled in front of \`open\` makes that revert, the money stays with the buyer`,
      gained: await gainOf(world, "contributor"),
    };
  },
};

export const resignedOffer: Attack = {
  name: "resigned-offer",
  expected: "an offer of the contributor's adapter that a stranger signed for its own purse: refused",
  async run(world) {
    const adapter = await honestAdapter(world);
    const { account } = world.stranger;
    const made = await world.makeOffer(adapter.record.adapterId);
    const offer: Offer = { ...made.offer, payout: account.address };
    const signature = await account.signTypedData(typedData(world.domain, "Offer", offer) as never);
    const how = await refusedTwice(world, adapter, { offer, signature });
    return { how, gained: await world.credit(world.stranger) };
  },
};
