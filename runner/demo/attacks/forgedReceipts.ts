/** Receipts that say something else than was served: by the contributor to be paid more, by the buyer to pay nothing. */
import { loadServedAdapter } from "../../contributor/adapters.ts";
import { type Receipt, statementsHash, typedData } from "../../protocol/typedData.ts";
import { PRICE, type World } from "../world.ts";
import { type Attack, AttackSucceeded, gainOf, refused } from "./attack.ts";
import { proveState, settleByHand } from "./settling.ts";
import { WireBuyer } from "./wireBuyer.ts";

/** A receipt for 5 tokens that both sides agree on, and what the contributor needs to settle it. */
async function receiptOf5(world: World) {
  const { adapterId } = await world.register("kjv-attn", "all");
  await world.makeOffer(adapterId);
  const { url } = await world.serve({ adapters: [adapterId] });
  const buyer = await WireBuyer.open(world, url);
  await buyer.pass(5);
  const signed = await buyer.pay();
  const adapter = loadServedAdapter(world.data, adapterId);
  return { buyer, signed, adapter, proven: await proveState(adapter, signed.state) };
}

type Agreed = Awaited<ReturnType<typeof receiptOf5>>;

/** The contributor changes the buyer's receipt, and proves what it then says. */
async function changeOnChain(
  world: World,
  { signed, proven }: Pick<Agreed, "signed" | "proven">,
  change: Partial<Receipt>,
): Promise<string> {
  const changed = { ...signed, receipt: { ...signed.receipt, ...change } };
  const error = await refused("a changed receipt", "contract/receipt-not-signed-by-signer", () =>
    settleByHand(world.contributor.ctx, changed, proven),
  );
  return error.message;
}

/**
 * The buyer sends a receipt that is of no use to the contributor, for 3 tokens more. They are not paid, what came before is, and
 * nothing more is served.
 */
async function sendUseless(
  world: World,
  { buyer, signed, proven }: Agreed,
  code: string,
  make: (buyer: WireBuyer) => ReturnType<WireBuyer["receipt"]>,
): Promise<{ how: string; gained: bigint }> {
  await buyer.pass(3);
  const useless = await make(buyer);
  const { message } = await refused("a useless receipt", code, () => buyer.send(useless));
  const ended = await refused("a pass after it", "session/ended", () => buyer.pass(1));
  await settleByHand(world.contributor.ctx, signed, proven);
  const gained = await gainOf(world, "contributor", 5n * PRICE);
  if (gained < 0n) throw new AttackSucceeded("the receipt before was not paid");
  return { how: `the service: ${message}; ${ended.message}`, gained };
}

export const forgedReceipt: Attack = {
  name: "forged-receipt",
  expected: "a receipt signed by another key, or over statements of the contributor's own making: refused",
  async run(world) {
    const agreed = await receiptOf5(world);
    const { signed, adapter } = agreed;
    const { account, ctx } = world.contributor;
    // tokens nobody asked for, proven with the right weights
    const invented = { ...signed.state, tokens: 400, xBar: signed.state.xBar.map((x) => x.map(() => 0n)) };
    invented.yBar = signed.state.yBar.map((y) => y.map(() => 0n));
    const own = await proveState(adapter, invented);
    const receipt = { ...signed.receipt, tokens: 400n, statementsHash: statementsHash(own.V) };
    const signature = await account.signTypedData(typedData(world.domain, "Receipt", receipt) as never);
    const forged = await refused("a receipt of another key", "contract/receipt-not-signed-by-signer", () =>
      settleByHand(ctx, { receipt, signature }, own),
    );
    const { statementsHash: hash } = receipt;
    const changed = await changeOnChain(world, { signed, proven: own }, { statementsHash: hash });
    const swapped = await refused("statements nobody signed", "contract/statements-hash-mismatch", () =>
      settleByHand(ctx, signed, own),
    );
    const { how, gained } = await sendUseless(world, agreed, "signature/wrong-signer", (buyer) =>
      buyer.receipt({}, world.stranger.account),
    );
    return { how: `on chain: ${forged.message}; ${changed}; ${swapped.message}; ${how}`, gained };
  },
};

export const inflatedTokens: Attack = {
  name: "inflated-tokens",
  expected: "more tokens written into a signed receipt, or fewer signed than were served: refused",
  async run(world) {
    const agreed = await receiptOf5(world);
    const inflated = await changeOnChain(world, agreed, { tokens: 400n });
    const { how, gained } = await sendUseless(world, agreed, "receipt/wrong-tokens", (buyer) =>
      buyer.receipt({ tokens: 6n }),
    );
    return { how: `on chain: ${inflated}; ${how}`, gained };
  },
};

export const otherHead: Attack = {
  name: "other-head",
  expected: "a receipt over another transcript than was served: refused on chain and by the service",
  async run(world) {
    const agreed = await receiptOf5(world);
    const head: Receipt["head"] = `0x${"07".repeat(32)}`;
    const moved = await changeOnChain(world, agreed, { head });
    const { how, gained } = await sendUseless(world, agreed, "receipt/wrong-head", (buyer) =>
      buyer.receipt({ head }),
    );
    return { how: `on chain: ${moved}; ${how}`, gained };
  },
};
