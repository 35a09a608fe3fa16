/** Puts attackers' contracts on the chain. */
import { concat, encodeAbiParameters } from "viem";
import { onChain } from "../../chain/errors.ts";
import { requireSender, waitFor } from "../../chain/transact.ts";
import type { Hex } from "../../protocol/bytes.ts";
import type { Address } from "../../protocol/typedData.ts";
import attackers from "../generated/attackers.json" with { type: "json" };
import type { Party } from "../world.ts";

/** Deploys creation code from a party's account. */
export async function deployCode({ ctx }: Party, creationCode: Hex): Promise<Address> {
  const { walletClient } = requireSender(ctx);
  const hash = await onChain(ctx, () => walletClient.sendTransaction({ data: creationCode }));
  const { contractAddress } = await waitFor(ctx, hash);
  if (contractAddress == null) throw new Error("the attacker's contract was not created");
  return contractAddress;
}

/** Deploys a contract of contracts/test by name, with at most one constructor argument. */
export function deployAttacker(
  by: Party,
  name: keyof typeof attackers,
  argument?: { type: "address" | "bytes32"; value: Hex },
): Promise<Address> {
  const encoded =
    argument === undefined ? "0x" : encodeAbiParameters([{ type: argument.type }], [argument.value]);
  return deployCode(by, concat([attackers[name] as Hex, encoded]));
}
