/** Money taken twice. */
import { refund, release } from "../../chain/escrow.ts";
import { type Attack, gainOf, refused } from "./attack.ts";
import { sell } from "./sale.ts";
import { settleByHand } from "./settling.ts";

/** Seconds after which every agreement made here is over. */
const PAST_DEADLINE = 3 * 3600;

export const settleTwice: Attack = {
  name: "settle-twice",
  expected: "the same receipt settled twice, whole and in part: refused by the contract",
  async run(world) {
    const { signed, proven, due } = await sell(world, { modulesPerProof: 1 });
    const { ctx } = world.contributor;
    await settleByHand(ctx, signed, proven);
    const errors = [];
    for (const claims of [proven.claims, proven.claims.slice(1, 2)])
      errors.push(
        await refused("the settlement", "contract/group-already-settled", () =>
          settleByHand(ctx, signed, { V: proven.V, claims }),
        ),
      );
    const how = errors.map(({ message }) => message).join("; ");
    return { how, gained: await gainOf(world, "contributor", due) };
  },
};

export const releaseThenSettle: Attack = {
  name: "release-then-settle",
  expected:
    "an agreement released to the buyer and then settled, released or refunded again: refused by the contract",
  async run(world) {
    const { agreementId, signed, proven, amount } = await sell(world);
    const { ctx } = world.contributor;
    await release(ctx, agreementId);
    const code = "contract/wrong-status";
    const { message } = await refused("the settlement", code, () => settleByHand(ctx, signed, proven));
    await refused("another release", code, () => release(ctx, agreementId));
    await world.passTime(PAST_DEADLINE);
    await refused("a refund", code, () => refund(world.buyer.ctx, agreementId));
    const gained = (await gainOf(world, "contributor")) + (await gainOf(world, "buyer", amount));
    return { how: message, gained };
  },
};

export const refundTwice: Attack = {
  name: "refund-twice",
  expected: "a refund taken twice, and once more by a stranger: refused by the contract",
  async run(world) {
    const { agreementId, amount } = await sell(world);
    await world.passTime(PAST_DEADLINE);
    await refund(world.buyer.ctx, agreementId);
    const errors = [];
    for (const { ctx } of [world.buyer, world.stranger])
      errors.push(await refused("the refund", "contract/wrong-status", () => refund(ctx, agreementId)));
    return { how: errors[0]!.message, gained: await gainOf(world, "buyer", amount) };
  },
};
