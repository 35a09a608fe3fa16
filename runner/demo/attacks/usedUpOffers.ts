/** Offers that can no longer be taken. */
import { cancelOffer, openAgreement } from "../../chain/escrow.ts";
import { type Attack, gainOf, refused } from "./attack.ts";
import { honestAdapter } from "./forgery.ts";
import { taking } from "./takeOffer.ts";

export const cancelledOffer: Attack = {
  name: "cancelled-offer",
  expected: "an offer taken after its contributor cancelled it: refused by the contract",
  async run(world) {
    const { record } = await honestAdapter(world);
    const made = await world.makeOffer(record.adapterId);
    await cancelOffer(world.contributor.ctx, made.offer);
    const { message } = await refused("the offer", "contract/offer-is-cancelled", async () =>
      openAgreement(world.buyer.ctx, await taking(world, made)),
    );
    return { how: message, gained: await gainOf(world, "buyer") };
  },
};

export const exhaustedOffer: Attack = {
  name: "exhausted-offer",
  expected: "an offer taken more often than it allows: refused by the contract",
  async run(world) {
    const { record } = await honestAdapter(world);
    const made = await world.makeOffer(record.adapterId, { maxOpens: 1n });
    const first = await taking(world, made);
    await openAgreement(world.buyer.ctx, first);
    const { message } = await refused("the offer", "contract/offer-exhausted", () =>
      openAgreement(world.buyer.ctx, { ...first, nonce: 1n }),
    );
    return { how: message, gained: await gainOf(world, "buyer") };
  },
};
