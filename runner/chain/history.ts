/** What happened in the escrow, from its events since the deployment. */
import type { Hex } from "../protocol/bytes.ts";
import type { Address, Offer } from "../protocol/typedData.ts";
import type { ChainContext } from "./connect.ts";
import { findEvents } from "./events.ts";

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

/** How an agreement was opened; undefined when it was not. */
export async function readOpening(ctx: ChainContext, agreementId: Hex): Promise<Opening | undefined> {
  const [event] = await findEvents(ctx, "escrow", "AgreementOpened", { agreementId }, { most: 1 });
  return event && { ...event.args, blockNumber: event.blockNumber, txHash: event.transactionHash };
}

/** Receipts of an agreement that were proven whole, oldest first. */
export async function readSettlements(ctx: ChainContext, agreementId: Hex): Promise<Settlement[]> {
  const found = await findEvents(ctx, "escrow", "ReceiptSettled", { agreementId });
  return found.map(({ args: { agreementId: _, ...settled }, blockNumber, transactionHash }) => ({
    ...settled,
    blockNumber,
    txHash: transactionHash,
  }));
}

/** How many agreements of an adapter were opened, settled, refunded and released. */
export async function adapterRecord(
  ctx: Pick<ChainContext, "publicClient" | "deployment" | "rpcUrl">,
  adapterId: Hex,
): Promise<AdapterRecord> {
  const opened = await findEvents(ctx, "escrow", "AgreementOpened", { adapterId });
  const ids = new Set(opened.map(({ args }) => args.agreementId));
  const first = opened[0]?.blockNumber;
  const count = async (
    name: "ReceiptSettled" | "AgreementRefunded" | "AgreementReleased",
  ): Promise<number> => {
    if (first === undefined) return 0;
    const found = await findEvents(ctx, "escrow", name, {}, { fromBlock: first });
    return new Set(found.map(({ args }) => args.agreementId).filter((id) => ids.has(id))).size;
  };
  return {
    opened: ids.size,
    settled: await count("ReceiptSettled"),
    refunded: await count("AgreementRefunded"),
    released: await count("AgreementReleased"),
  };
}
