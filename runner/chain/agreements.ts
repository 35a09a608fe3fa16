/** What the escrow holds: agreements, offers, credits. Nothing here sends a transaction; for history see history.ts. */
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { type Address, type Offer, offerHash } from "../protocol/typedData.ts";
import type { ChainContext } from "./connect.ts";
import { AGREEMENT_STATUSES, onChain } from "./errors.ts";
import { loraEscrowAbi } from "./generated/abi.ts";
import { isLocalChain } from "./localChain.ts";
import { readAdapter } from "./registry.ts";

export type AgreementStatus = (typeof AGREEMENT_STATUSES)[number];

/** An agreement as stored. Amounts in the token's smallest unit, times in unix seconds. */
export interface Agreement {
  /** `none` when there is no such agreement; all else is zero then. */
  status: AgreementStatus;
  buyer: Address;
  /** Whose key signs the receipts. */
  signer: Address;
  contributor: Address;
  payout: Address;
  /** Zero for ETH. */
  token: Address;
  adapterId: Hex;
  pricePerToken: bigint;
  /** Paid in for inference, without the opening fee. */
  amount: bigint;
  /** Part of `amount` credited to payout so far. */
  paid: bigint;
  /** Last second at which receipts settle. */
  deadline: bigint;
  /** Seconds left to settle after `close`. */
  closeWindow: bigint;
}

/** Arguments of a read of the escrow, at a block or the newest one. */
function at(ctx: ChainContext, blockNumber: bigint | undefined) {
  const where = { address: ctx.deployment.escrow, abi: loraEscrowAbi } as const;
  return blockNumber === undefined ? where : { ...where, blockNumber };
}

/** Whose key signs an agreement's receipts, and its adapter: one request; undefined when no final block has it. */
export async function readFinalParty(
  ctx: ChainContext,
  agreementId: Hex,
): Promise<{ signer: Address; adapterId: Hex } | undefined> {
  const { status, signer, adapterId } = await onChain(ctx, () =>
    ctx.publicClient.readContract({
      ...at(ctx, undefined),
      functionName: "agreements",
      args: [agreementId],
      blockTag: isLocalChain(ctx.chainId) ? "latest" : "finalized",
    }),
  );
  return AGREEMENT_STATUSES[status] === "none" ? undefined : { signer, adapterId };
}

/** An agreement. @param blockNumber the state to read; default: the newest */
export async function readAgreement(
  ctx: ChainContext,
  agreementId: Hex,
  blockNumber?: bigint,
): Promise<Agreement> {
  const stored = await onChain(ctx, () =>
    ctx.publicClient.readContract({
      ...at(ctx, blockNumber),
      functionName: "agreements",
      args: [agreementId],
    }),
  );
  const adapter = await readAdapter(ctx, stored.adapterId, blockNumber);
  return {
    ...stored,
    status: AGREEMENT_STATUSES[stored.status]!,
    contributor: adapter?.contributor ?? `0x${"0".repeat(40)}`,
  };
}

/**
 * An agreement that is there.
 * @throws DeltapayError `agreement/unknown`
 */
export async function requireAgreement(ctx: ChainContext, agreementId: Hex): Promise<Agreement> {
  const agreement = await readAgreement(ctx, agreementId);
  if (agreement.status === "none")
    throw new DeltapayError("agreement/unknown", `there is no agreement ${agreementId}`, {
      field: "agreementId",
      hint: "check the id, the chain (--rpc) and the deployment",
    });
  return agreement;
}

/**
 * How often an offer was taken, and whether it is cancelled.
 * @param blockNumber the state to read; default: the newest
 */
export async function readOfferState(
  ctx: ChainContext,
  offer: Offer,
  blockNumber?: bigint,
): Promise<{ offerHash: Hex; opens: bigint; cancelled: boolean }> {
  const hash = offerHash(offer);
  const [opens, cancelled] = await onChain(ctx, () =>
    Promise.all([
      ctx.publicClient.readContract({ ...at(ctx, blockNumber), functionName: "opens", args: [hash] }),
      ctx.publicClient.readContract({ ...at(ctx, blockNumber), functionName: "cancelled", args: [hash] }),
    ]),
  );
  return { offerHash: hash, opens, cancelled };
}

/** What an account can withdraw of a token (zero: ETH). */
export function credits(ctx: ChainContext, token: Address, account: Address): Promise<bigint> {
  return onChain(ctx, () =>
    ctx.publicClient.readContract({ ...at(ctx, undefined), functionName: "credits", args: [token, account] }),
  );
}

/** Whether `operator` may settle for `contributor`. */
export function isOperator(ctx: ChainContext, contributor: Address, operator: Address): Promise<boolean> {
  return onChain(ctx, () =>
    ctx.publicClient.readContract({
      ...at(ctx, undefined),
      functionName: "operators",
      args: [contributor, operator],
    }),
  );
}

/** Groups of a receipt that are proven already. */
export async function settledGroups(
  ctx: ChainContext,
  agreementId: Hex,
  receiptHash: Hex,
  groups: number,
): Promise<Set<number>> {
  const words = await onChain(ctx, () =>
    Promise.all(
      Array.from({ length: Math.ceil(groups / 256) }, (_, word) =>
        ctx.publicClient.readContract({
          ...at(ctx, undefined),
          functionName: "settledGroups",
          args: [agreementId, receiptHash, BigInt(word)],
        }),
      ),
    ),
  );
  const settled = new Set<number>();
  for (let group = 0; group < groups; group++)
    if ((words[group >> 8]! >> BigInt(group & 255)) & 1n) settled.add(group);
  return settled;
}
