/** Who is paid, and who may say so. */
import { encodeFunctionData, type Hex, parseAbi } from "viem";
import { credits } from "../../chain/agreements.ts";
import { ETH } from "../../chain/erc20.ts";
import { refund, withdraw } from "../../chain/escrow.ts";
import { loraEscrowAbi } from "../../chain/generated/abi.ts";
import { transact } from "../../chain/transact.ts";
import type { Address } from "../../protocol/typedData.ts";
import type { World } from "../world.ts";
import { type Attack, AttackSucceeded, gainOf, refused } from "./attack.ts";
import { deployAttacker } from "./attackerContracts.ts";
import { sell } from "./sale.ts";
import { settleByHand } from "./settling.ts";

/** Lets the receiver, a contract that refuses money, withdraw its credit to `to`. */
function withdrawBy(world: World, receiver: Address, to: Address): Promise<unknown> {
  const { contributor, domain } = world;
  const withdrawal = encodeFunctionData({
    abi: loraEscrowAbi,
    functionName: "withdraw",
    args: [ETH.address, to],
  });
  const abi = parseAbi(["function call(address target, bytes data) payable returns (bytes)"]);
  const args: [Address, Hex] = [domain.escrow, withdrawal];
  return transact(contributor.ctx, {
    to: receiver,
    data: encodeFunctionData({ abi, functionName: "call", args }),
  });
}

export const revertingReceiver: Attack = {
  name: "reverting-receiver",
  expected:
    "a payout contract that reverts when paid, to lock what is the buyer's: it locks only its own credit",
  async run(world) {
    const { contributor, buyer } = world;
    const payout = await deployAttacker(contributor, "RefusingReceiver");
    const { agreementId, signed, proven, due, amount } = await sell(world, { terms: { payout } });
    await settleByHand(contributor.ctx, signed, proven);
    await refused("the money", "chain/", () => withdrawBy(world, payout, payout));
    await world.passTime(3 * 3600);
    await refund(buyer.ctx, agreementId);
    const { amount: back } = await withdraw(buyer.ctx, ETH.address);
    if (back !== amount - due) throw new AttackSucceeded(`the buyer got ${back} back, not ${amount - due}`);
    const gained = (await credits(buyer.ctx, ETH.address, payout)) - due;
    await withdrawBy(world, payout, contributor.account.address);
    return { how: "paying it fails; settlement, the buyer's refund and withdrawal do not", gained };
  },
};

export const strangerSettles: Attack = {
  name: "stranger-settles",
  expected:
    "a receipt and its proofs settled by neither the contributor nor its operator: refused by the contract",
  async run(world) {
    const { signed, proven } = await sell(world);
    const { message } = await refused("the settlement", "contract/not-contributor-or-operator", () =>
      settleByHand(world.stranger.ctx, signed, proven),
    );
    const gained = (await world.credit(world.stranger)) + (await gainOf(world, "contributor"));
    return { how: message, gained };
  },
};
