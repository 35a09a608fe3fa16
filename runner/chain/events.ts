/** Events of registry and escrow since the deployment, from any node, also one that searches few blocks at once. */
import type { Abi, ContractEventName, GetContractEventsReturnType } from "viem";
import type { Hex } from "../protocol/bytes.ts";
import type { ChainContext } from "./connect.ts";
import { onChain } from "./errors.ts";
import { adapterRegistryAbi, loraEscrowAbi } from "./generated/abi.ts";

/** Blocks asked for at once; public nodes refuse more. */
const PAGE = 10_000n;

const ABIS = { escrow: loraEscrowAbi, registry: adapterRegistryAbi } as const;

type Abis = typeof ABIS;
/** Names of a contract's events. */
export type EventName<Where extends keyof Abis> = ContractEventName<Abis[Where]>;
/** Events of one kind, with where they stand. */
export type Found<Where extends keyof Abis, Name extends EventName<Where>> = GetContractEventsReturnType<
  Abis[Where],
  Name,
  true
>;

/** Nodes that refuse to search more than a page. */
const pagedNodes = new Set<string>();

/**
 * All events of a kind whose indexed arguments match, oldest first: in one request where the node allows it, else page by
 * page from the newest.
 * @param most as many of the newest are enough
 */
export async function findEvents<Where extends keyof Abis, Name extends EventName<Where>>(
  ctx: Pick<ChainContext, "publicClient" | "deployment" | "rpcUrl">,
  where: Where,
  eventName: Name,
  args: Record<string, Hex>,
  { fromBlock = ctx.deployment.startBlock, most = Number.POSITIVE_INFINITY } = {},
): Promise<Found<Where, Name>> {
  const { publicClient, deployment, rpcUrl } = ctx;
  const search = (from: bigint, to: bigint): Promise<unknown[]> =>
    publicClient.getContractEvents({
      address: deployment[where],
      abi: ABIS[where] as Abi,
      eventName: eventName as string,
      args,
      fromBlock: from,
      toBlock: to,
      strict: true,
    });
  return onChain(ctx, async () => {
    const newest = await publicClient.getBlockNumber();
    if (newest - fromBlock < PAGE || !pagedNodes.has(rpcUrl))
      try {
        return (await search(fromBlock, newest)) as Found<Where, Name>;
      } catch (error) {
        if (newest - fromBlock < PAGE) throw error;
      }
    const found: unknown[] = [];
    for (let to = newest; to >= fromBlock && found.length < most; to -= PAGE) {
      const from = to - PAGE + 1n;
      found.unshift(...(await search(from > fromBlock ? from : fromBlock, to)));
      // Not before: what failed may have been the connection.
      pagedNodes.add(rpcUrl);
    }
    return found as Found<Where, Name>;
  });
}
