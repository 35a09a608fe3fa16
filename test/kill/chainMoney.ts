/** Money on chain, at one block: nothing lost, nothing made, nothing paid twice or beyond what was receipted. */
import type { ChainContext } from "../../runner/chain/connect.ts";
import { findEvents } from "../../runner/chain/events.ts";
import { loraEscrowAbi } from "../../runner/chain/generated/abi.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";

export interface PartiesOnChain {
  contributor: Hex;
  buyer: Hex;
  /** Agreements the buyer knows of. */
  known: ReadonlySet<string>;
  /** Tokens of the newest receipt the contributor holds, by agreement. */
  receipted: ReadonlyMap<string, number>;
}

export interface ChainError {
  what: string;
  isPaidTwice: boolean;
}

const ETH: Hex = "0x0000000000000000000000000000000000000000";

async function creditAt(ctx: ChainContext, account: Hex, blockNumber: bigint): Promise<bigint> {
  const where = { address: ctx.deployment.escrow, abi: loraEscrowAbi } as const;
  return ctx.publicClient.readContract({
    ...where,
    functionName: "credits",
    args: [ETH, account],
    blockNumber,
  });
}

/**
 * All that is wrong with the escrow's money.
 * @param readParties every pair of parties that uses it; read once the block is chosen, so that what they know is no older
 */
export async function chainErrors(
  ctx: ChainContext,
  readParties: () => readonly PartiesOnChain[],
): Promise<ChainError[]> {
  const blockNumber = await ctx.publicClient.getBlockNumber();
  const upToNow = <Event extends { blockNumber: bigint }>(events: readonly Event[]): Event[] =>
    events.filter((event) => event.blockNumber <= blockNumber);
  const opened = upToNow(await findEvents(ctx, "escrow", "AgreementOpened", {}));
  const settled = upToNow(await findEvents(ctx, "escrow", "ReceiptSettled", {}));
  const errors: ChainError[] = [];
  const wrong = (what: string, isPaidTwice = false): void => {
    errors.push({ what, isPaidTwice });
  };
  let held = 0n;
  for (const parties of readParties()) {
    const own = opened.filter(({ args }) => same(args.buyer, parties.buyer));
    let earned = 0n;
    for (const { args } of own) {
      const { agreementId, amount, offer } = args;
      if (!parties.known.has(agreementId)) wrong(`the buyer paid for ${agreementId} and does not know it`);
      const payments = settled.filter((event) => event.args.agreementId === agreementId);
      const paid = payments.reduce((sum, event) => sum + event.args.credited, 0n);
      const due = BigInt(parties.receipted.get(agreementId) ?? 0) * offer.pricePerToken;
      if (paid > due) wrong(`${agreementId} was paid ${paid}, its receipts are worth ${due}`, true);
      const receipts = payments.map((event) => event.args.receiptHash);
      if (new Set(receipts).size < receipts.length) wrong(`a receipt of ${agreementId} settled twice`, true);
      earned += paid + offer.openingFee;
      held += amount - paid;
    }
    const credit = await creditAt(ctx, parties.contributor, blockNumber);
    if (credit !== earned) wrong(`the contributor earned ${earned} and is credited ${credit}`);
    held += credit + (await creditAt(ctx, parties.buyer, blockNumber));
  }
  const balance = await ctx.publicClient.getBalance({ address: ctx.deployment.escrow, blockNumber });
  if (balance !== held) wrong(`the escrow holds ${balance}, owed are ${held}`);
  return errors;
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
