/** Calls of the escrow, for a wallet to send. */
import { type ContractFunctionArgs, type ContractFunctionName, encodeFunctionData } from "viem";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { loraEscrowAbi } from "../../../runner/chain/generated/abi.ts";
import type { Call } from "../../../runner/chain/transact.ts";

type Writes = ContractFunctionName<typeof loraEscrowAbi, "nonpayable" | "payable">;

/** @param value wei */
export function escrowCall<Name extends Writes>(
  { deployment }: Pick<ChainContext, "deployment">,
  functionName: Name,
  args: ContractFunctionArgs<typeof loraEscrowAbi, "nonpayable" | "payable", Name>,
  value?: bigint,
): Call {
  const data = encodeFunctionData({ abi: loraEscrowAbi, functionName, args } as Parameters<
    typeof encodeFunctionData
  >[0]);
  return { to: deployment.escrow, data, ...(value === undefined ? {} : { value }) };
}
