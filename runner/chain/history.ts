/** What happened in the escrow, from its events since the deployment. */
import type { ContractEventName, GetContractEventsReturnType } from "viem";
import type { Hex } from "../protocol/bytes.ts";
import type { Address, Offer } from "../protocol/typedData.ts";
import type { ChainContext } from "./connect.ts";
import { onChain } from "./errors.ts";
import { loraEscrowAbi } from "./generated/abi.ts";

/** Blocks asked for at once; public nodes refuse more. */
const PAGE = 10_000n;

/** An agreement as it was opened. */
export interface Opening {
  agreementId: Hex;
  adapterId: Hex;
  buyer: Address;
  offer: Offer;
  offerHash: Hex;
  signer: Address;
  amount: bigint;
  deadline: bigint;
  nonce: bigint;
  blockNumber: bigint;
  txHash: Hex;
}

/** A receipt that was proven whole. */
export interface Settlement {
  receiptHash: Hex;
  passes: bigint;
  tokens: bigint;
  head: Hex;
  statementsHash: Hex;
  /** Credited to payout for it. */
  credited: bigint;
  /** Credited under the agreement so far. */
  paid: bigint;
  blockNumber: bigint;
  txHash: Hex;
}

/** How the agreements of an adapter went. */
export interface AdapterRecord {
  opened: number;
  /** Agreements with at least one receipt settled. */
  settled: number;
  refunded: number;
  released: number;
}

type EscrowEvent = ContractEventName<typeof loraEscrowAbi>;

type Found<Name extends EscrowEvent> = GetContractEventsReturnType<typeof loraEscrowAbi, Name, true>;

/** Nodes that refuse to search more than a page. */
const pagedNodes = new Set<string>();

/**
 * All events of a kind whose indexed arguments match, oldest first: in one request where the node allows it, else page by
 * page from the newest.
 * @param most as many of the newest are enough
 */
async function events<Name extends EscrowEvent>(
  ctx: ChainContext,
  eventName: Name,
  args: Record<string, Hex>,
  { fromBlock = ctx.deployment.startBlock, most = Number.POSITIVE_INFINITY } = {},
): Promise<Found<Name>> {
  const { publicClient, deployment, rpcUrl } = ctx;
  const search = (from: bigint, to: bigint): Promise<unknown[]> =>
    publicClient.getContractEvents({
      address: deployment.escrow,
      abi: loraEscrowAbi,
      eventName: eventName as EscrowEvent,
      args,
      fromBlock: from,
      toBlock: to,
      strict: true,
    });
  return onChain(ctx, async () => {
    const newest = await publicClient.getBlockNumber();
    if (newest - fromBlock < PAGE || !pagedNodes.has(rpcUrl))
      try {
        return (await search(fromBlock, newest)) as Found<Name>;
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
    return found as Found<Name>;
  });
}

/** How an agreement was opened; undefined when it was not. */
export async function readOpening(ctx: ChainContext, agreementId: Hex): Promise<Opening | undefined> {
  const [event] = await events(ctx, "AgreementOpened", { agreementId }, { most: 1 });
  return event && { ...event.args, blockNumber: event.blockNumber, txHash: event.transactionHash };
}

/** Receipts of an agreement that were proven whole, oldest first. */
export async function readSettlements(ctx: ChainContext, agreementId: Hex): Promise<Settlement[]> {
  const found = await events(ctx, "ReceiptSettled", { agreementId });
  return found.map(({ args: { agreementId: _, ...settled }, blockNumber, transactionHash }) => ({
    ...settled,
    blockNumber,
    txHash: transactionHash,
  }));
}

/** How many agreements of an adapter were opened, settled, refunded and released. */
export async function adapterRecord(ctx: ChainContext, adapterId: Hex): Promise<AdapterRecord> {
  const opened = await events(ctx, "AgreementOpened", { adapterId });
  const ids = new Set(opened.map(({ args }) => args.agreementId));
  const first = opened[0]?.blockNumber;
  const count = async (
    name: "ReceiptSettled" | "AgreementRefunded" | "AgreementReleased",
  ): Promise<number> => {
    if (first === undefined) return 0;
    const found = await events(ctx, name, {}, { fromBlock: first });
    return new Set(found.map(({ args }) => args.agreementId).filter((id) => ids.has(id))).size;
  };
  return {
    opened: ids.size,
    settled: await count("ReceiptSettled"),
    refunded: await count("AgreementRefunded"),
    released: await count("AgreementReleased"),
  };
}
