/** A contributor that takes the deposit and never answers. */

import { ETH } from "../../chain/erc20.ts";
import { closeAgreement, withdraw } from "../../chain/escrow.ts";
import { type Attack, gainOf, refused } from "./attack.ts";
import { EvilContributor } from "./evilContributor.ts";
import { WireBuyer } from "./wireBuyer.ts";

const DAY = 86_400n;
const CLOSE_WINDOW = 1800n;

export const neverServes: Attack = {
  name: "never-serves",
  expected:
    "a contributor who never serves: the buyer closes and has its money back after the offer's window",
  async run(world) {
    const { adapterId } = await world.register("kjv-attn", "all");
    await world.makeOffer(adapterId, { minDuration: 30n * DAY, closeWindow: CLOSE_WINDOW });
    const { url } = await EvilContributor.serve(world, adapterId, () => {
      throw new Error("this contributor does not serve");
    });
    const buyer = await WireBuyer.open(world, url);
    const { message } = await refused("a pass", "http/bad-response", () => buyer.pass(1));
    const { agreementId, amount } = buyer;
    const { ctx } = world.buyer;
    const early = await refused("a refund at once", "contract/deadline-not-passed", () =>
      world.buyerChain.refund(agreementId),
    );
    await closeAgreement(ctx, agreementId);
    await refused("a refund within the window", "contract/deadline-not-passed", () =>
      world.buyerChain.refund(agreementId),
    );
    await world.passTime(Number(CLOSE_WINDOW) + 1);
    await world.buyerChain.refund(agreementId);
    const { amount: back } = await withdraw(ctx, ETH.address);
    return {
      how: `${message}; ${early.message}; closed, ${back} of ${amount} wei were back ${CLOSE_WINDOW} s later instead of after 30 days`,
      gained: (await gainOf(world, "contributor")) + amount - back,
    };
  },
};
