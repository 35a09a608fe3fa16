/** What a settlement sends: claims of groups still to settle, as many at once as their gas allows. Signs nothing. */
import { encodeFunctionData } from "viem";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { messageDigest, type Receipt } from "../protocol/typedData.ts";
import type { Claim } from "../wire/messages.ts";
import { settledGroups } from "./agreements.ts";
import type { ChainContext } from "./connect.ts";
import { type Deployment, deploymentDomain } from "./deploymentFile.ts";
import { loraEscrowAbi } from "./generated/abi.ts";
import { type Call, TRANSACTION_GAS_LIMIT } from "./transact.ts";

/**
 * Most gas one claim costs: a pairing (34,000), two multiplications and additions on the curve, its calldata and the
 * rest around it. Keeps the first guess of a chunk below what nodes estimate at all.
 */
const GAS_PER_CLAIM = 70_000n;

/** Most gas of one settling transaction: the limit of EIP-7825 less a fifth. */
export const SETTLE_GAS_LIMIT = (TRANSACTION_GAS_LIMIT * 4n) / 5n;

export interface ReceiptToSettle {
  agreementId: Hex;
  receipt: Receipt;
  /** The buyer's, of the receipt. */
  signature: Hex;
  /** Statements of all groups in order: 64-byte points as two words each. */
  V: readonly (readonly [bigint, bigint])[];
  /** Proofs, of all groups or of some. */
  claims: readonly Claim[];
}

/** The call that settles `claims` of a receipt. */
export function settleCall(
  ctx: Pick<ChainContext, "deployment">,
  settlement: ReceiptToSettle,
  claims: readonly Claim[],
): Call {
  const { agreementId, receipt, signature, V } = settlement;
  return {
    to: ctx.deployment.escrow,
    data: encodeFunctionData({
      abi: loraEscrowAbi,
      functionName: "settle",
      args: [agreementId, receipt, signature, V, claims],
    }),
  };
}

/** receiptHash: what the escrow keeps the settled groups of a receipt under. */
export function receiptHash(
  { deployment }: { deployment: Pick<Deployment, "chainId" | "escrow"> },
  receipt: Receipt,
): Hex {
  return messageDigest(deploymentDomain(deployment), "Receipt", receipt);
}

/** The claims of groups that are not settled yet, in order. */
export async function claimsLeft(ctx: ChainContext, settlement: ReceiptToSettle): Promise<Claim[]> {
  const { agreementId, receipt, V, claims } = settlement;
  const settled = await settledGroups(ctx, agreementId, receiptHash(ctx, receipt), V.length);
  return claims.filter(({ group }) => !settled.has(group)).sort((a, b) => a.group - b.group);
}

/**
 * The longest beginning of `claims` that fits, by halves, and its gas.
 * @param gasOf what a transaction of some claims would use now
 * @throws DeltapayError `settle/too-much-gas` when one alone does not fit, and what `gasOf` throws
 */
export async function nextChunk(
  claims: readonly Claim[],
  maxGas: bigint,
  gasOf: (chunk: readonly Claim[]) => Promise<bigint>,
): Promise<{ chunk: Claim[]; gas: bigint }> {
  const guess = maxGas / GAS_PER_CLAIM;
  let size = Math.min(claims.length, guess < 1n ? 1 : Number(guess));
  for (;;) {
    const chunk = claims.slice(0, size);
    const gas = await gasOf(chunk);
    if (gas <= maxGas) return { chunk, gas };
    if (size === 1)
      throw new DeltapayError("settle/too-much-gas", `one proof needs ${gas} gas, more than ${maxGas}`, {
        field: "maxGas",
        hint: "register the adapter with fewer groups: --modules-per-proof",
      });
    size = Math.ceil(size / 2);
  }
}
