/** Proofs that are valid, but of something else: other weights, another adapter, another agreement. */
import { loadServedAdapter, type ServedAdapter } from "../../contributor/adapters.ts";
import { groupWitness } from "../../protocol/statement.ts";
import { PRICE, type World } from "../world.ts";
import { type Attack, gainOf, refused } from "./attack.ts";
import { EvilContributor } from "./evilContributor.ts";
import { proveGroup, proveState, settleByHand } from "./settling.ts";
import { type SignedReceipt, WireBuyer } from "./wireBuyer.ts";

export const weightsSwapped: Attack = {
  name: "weights-swapped",
  expected:
    "other weights are served than were registered: no proof of the answers opens the buyer's statement",
  async run(world) {
    const { adapterId } = await world.register("kjv-attn");
    await world.makeOffer(adapterId);
    const evil = await EvilContributor.serve(world, adapterId);
    const registered = loadServedAdapter(world.data, adapterId);
    const [first, second, ...rest] = registered.weights;
    // of the same shape: nothing on the wire gives them away
    evil.adapter.weights = [second!, first!, ...rest];
    const buyer = await WireBuyer.open(world, evil.url);
    await buyer.pass(5);
    const signed = await buyer.pay();
    const witnessOf = ({ layout, weights, blinds }: ServedAdapter) =>
      groupWitness(layout, weights, blinds, signed.state, 0);
    const unproven = await refused("the swapped weights", "prover/other-statement", () =>
      proveGroup(registered, 0, witnessOf(evil.adapter), signed.V[0]!),
    );
    const unserved = await refused("the registered weights", "prover/no-witness", () =>
      proveGroup(registered, 0, witnessOf(registered), signed.V[0]!),
    );
    const proven = await proveState(evil.adapter, signed.state);
    const words = await refuseOnChain(world, signed, proven);
    await world.passTime(3 * 3600);
    const { amount } = await world.buyerChain.refund(buyer.agreementId);
    return {
      how: `${unproven.message}; ${unserved.message}; on chain: ${words}; the buyer was refunded ${amount} of ${buyer.amount} wei`,
      gained: (await gainOf(world, "contributor")) + buyer.amount - amount,
    };
  },
};

/** A settlement with valid proofs of other statements than the receipt's: with its statements, and with their own. */
async function refuseOnChain(
  world: World,
  signed: SignedReceipt,
  { V, claims }: Awaited<ReturnType<typeof proveState>>,
): Promise<string> {
  const { ctx } = world.contributor;
  const rejected = await refused("a proof of another statement", "contract/invalid-proof", () =>
    settleByHand(ctx, signed, { V: signed.V, claims }),
  );
  const unsigned = await refused("an unsigned statement", "contract/statements-hash-mismatch", () =>
    settleByHand(ctx, signed, { V, claims }),
  );
  return `${rejected.message}; ${unsigned.message}`;
}

export const otherAdaptersProof: Attack = {
  name: "other-adapters-proof",
  expected: "an agreement on one adapter settled with the valid proofs of another registered one: refused",
  async run(world) {
    const sold = [];
    for (const name of ["kjv-attn", "kjv-proj"] as const) {
      const { adapterId } = await world.register(name);
      await world.makeOffer(adapterId);
      const { url } = await world.serve({ adapters: [adapterId] });
      const buyer = await WireBuyer.open(world, url);
      await buyer.pass(5);
      const signed = await buyer.pay();
      sold.push({ signed, ...(await proveState(loadServedAdapter(world.data, adapterId), signed.state)) });
    }
    const [one, other] = sold as [(typeof sold)[0], (typeof sold)[0]];
    const words = await refuseOnChain(world, one.signed, other);
    const foreign = await refused("a receipt of the other adapter", "contract/receipt-for-other", () =>
      settleByHand(world.contributor.ctx, other.signed, other, one.signed.receipt.agreementId),
    );
    await settleByHand(world.contributor.ctx, other.signed, other);
    return { how: `${words}; ${foreign.message}`, gained: await gainOf(world, "contributor", 5n * PRICE) };
  },
};

export const replayedProof: Attack = {
  name: "replayed-proof",
  expected:
    "a settled receipt and its proofs used again in another agreement of the same activations: refused",
  async run(world) {
    const { adapterId } = await world.register("kjv-attn", "all");
    await world.makeOffer(adapterId);
    const { url } = await world.serve({ adapters: [adapterId] });
    const first = await WireBuyer.open(world, url);
    const second = await WireBuyer.open(world, url);
    const same = first.request(5);
    await first.pass(5, same);
    await second.pass(5, same);
    const [paid, unpaid] = [await first.pay(), await second.pay()];
    const proven = await proveState(loadServedAdapter(world.data, adapterId), paid.state);
    const { ctx } = world.contributor;
    await settleByHand(ctx, paid, proven);
    const { agreementId } = second;
    const foreign = await refused("another agreement's receipt", "contract/receipt-for-other", () =>
      settleByHand(ctx, paid, proven, agreementId),
    );
    const renamed = { ...paid, receipt: { ...paid.receipt, agreementId } };
    const unsigned = await refused("a renamed receipt", "contract/receipt-not-signed-by-signer", () =>
      settleByHand(ctx, renamed, proven),
    );
    const words = await refuseOnChain(world, unpaid, proven);
    return {
      how: `${foreign.message}; ${unsigned.message}; ${words}`,
      gained: await gainOf(world, "contributor", 5n * PRICE),
    };
  },
};
