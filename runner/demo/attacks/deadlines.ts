/** Money taken too late or too early. */
import { refund } from "../../chain/escrow.ts";
import { type Attack, gainOf, refused } from "./attack.ts";
import { sell } from "./sale.ts";
import { settleByHand } from "./settling.ts";

/** Seconds after which every agreement made here is over. */
const PAST_DEADLINE = 3 * 3600;

export const settleLate: Attack = {
  name: "settle-late",
  expected: "a receipt settled after the deadline: refused by the contract, the buyer is refunded",
  async run(world) {
    const { agreementId, signed, proven, amount } = await sell(world);
    await world.passTime(PAST_DEADLINE);
    const { message } = await refused("the settlement", "contract/deadline-passed", () =>
      settleByHand(world.contributor.ctx, signed, proven),
    );
    await refund(world.buyer.ctx, agreementId);
    const lost = amount - (await world.credit(world.buyer));
    return { how: message, gained: (await gainOf(world, "contributor")) + lost };
  },
};

export const refundEarly: Attack = {
  name: "refund-early",
  expected:
    "a refund before the deadline, to have answers for nothing: refused by the contract, the receipt is paid",
  async run(world) {
    const { agreementId, signed, proven, due } = await sell(world);
    const { message } = await refused("the refund", "contract/deadline-not-passed", () =>
      refund(world.buyer.ctx, agreementId),
    );
    await settleByHand(world.contributor.ctx, signed, proven);
    const lost = due - (await world.credit(world.contributor));
    return { how: message, gained: (await gainOf(world, "buyer")) + lost };
  },
};
