/** Transactions of the escrow but for `settle`. Amounts in the token's smallest unit, times in unix seconds. */
import { encodeFunctionData, parseEventLogs } from "viem";
import type { Hex } from "../protocol/bytes.ts";
import type { Address, Offer } from "../protocol/typedData.ts";
import type { ChainContext } from "./connect.ts";
import { ensureAllowance, isEth } from "./erc20.ts";
import { loraEscrowAbi } from "./generated/abi.ts";
import { type PersistOptions, persist } from "./persist.ts";
import { type Outcome, requireSender, transact } from "./transact.ts";

/** A mined transaction. */
export type Mined = Omit<Outcome, "logs">;

export interface AgreementToOpen {
  offer: Offer;
  /** The contributor's, of the offer. */
  signature: Hex;
  /** Whose key signs the receipts. */
  signer: Address;
  /** Most the contributor can earn; the opening fee comes on top. */
  amount: bigint;
  deadline: bigint;
  nonce: bigint;
}

function transactEscrow(ctx: ChainContext, data: Hex, value = 0n): Promise<Outcome> {
  return transact(ctx, { to: ctx.deployment.escrow, data, value });
}

/**
 * Accepts an offer and pays in openingFee + amount; of an ERC-20 the allowance is set first.
 * @throws DeltapayError `contract/...`, `chain/...`, `account/missing`
 */
export async function openAgreement(
  ctx: ChainContext,
  { offer, signature, signer, amount, deadline, nonce }: AgreementToOpen,
): Promise<Mined & { agreementId: Hex }> {
  const total = offer.openingFee + amount;
  if (!isEth(offer.token)) await ensureAllowance(ctx, offer.token, ctx.deployment.escrow, total);
  const data = encodeFunctionData({
    abi: loraEscrowAbi,
    functionName: "open",
    args: [offer, signature, signer, amount, deadline, nonce],
  });
  const { logs, ...mined } = await transactEscrow(ctx, data, isEth(offer.token) ? total : 0n);
  const [event] = parseEventLogs({ abi: loraEscrowAbi, logs, eventName: "AgreementOpened" });
  return { ...mined, agreementId: event!.args.agreementId };
}

/** The buyer ends an agreement. @returns the deadline that now holds */
export async function closeAgreement(
  ctx: ChainContext,
  agreementId: Hex,
): Promise<Mined & { deadline: bigint }> {
  const data = encodeFunctionData({ abi: loraEscrowAbi, functionName: "close", args: [agreementId] });
  const { logs, ...mined } = await transactEscrow(ctx, data);
  const [event] = parseEventLogs({ abi: loraEscrowAbi, logs, eventName: "AgreementClosing" });
  return { ...mined, deadline: event!.args.deadline };
}

/** After the deadline credits the buyer what is left. @returns that amount */
export async function refund(ctx: ChainContext, agreementId: Hex): Promise<Mined & { amount: bigint }> {
  const data = encodeFunctionData({ abi: loraEscrowAbi, functionName: "refund", args: [agreementId] });
  const { logs, ...mined } = await transactEscrow(ctx, data);
  const [event] = parseEventLogs({ abi: loraEscrowAbi, logs, eventName: "AgreementRefunded" });
  return { ...mined, amount: event!.args.amount };
}

/** The contributor gives the buyer back what is left; replaced while nobody mines it. @returns that amount */
export async function release(
  ctx: ChainContext,
  agreementId: Hex,
  options: PersistOptions = {},
): Promise<Mined & { amount: bigint }> {
  const data = encodeFunctionData({ abi: loraEscrowAbi, functionName: "release", args: [agreementId] });
  const { logs, ...mined } = await persist(ctx, { to: ctx.deployment.escrow, data }, options);
  const [event] = parseEventLogs({ abi: loraEscrowAbi, logs, eventName: "AgreementReleased" });
  return { ...mined, amount: event!.args.amount };
}

/**
 * Sends the sender's whole credit of a token (zero: ETH) to `to`, by default the sender; replaced while nobody mines it.
 * @returns that amount, and where it went: an earlier transaction may have named another address
 */
export async function withdraw(
  ctx: ChainContext,
  token: Address,
  to: Address = requireSender(ctx).account.address,
  options: PersistOptions = {},
): Promise<Mined & { amount: bigint; to: Address }> {
  const data = encodeFunctionData({ abi: loraEscrowAbi, functionName: "withdraw", args: [token, to] });
  const { logs, ...mined } = await persist(ctx, { to: ctx.deployment.escrow, data }, options);
  const [event] = parseEventLogs({ abi: loraEscrowAbi, logs, eventName: "Withdrawn" });
  return { ...mined, amount: event!.args.amount, to: event!.args.to.toLowerCase() as Address };
}

/** Lets `operator` settle in the sender's name, or no longer. */
export async function setOperator(ctx: ChainContext, operator: Address, allowed: boolean): Promise<Mined> {
  const data = encodeFunctionData({
    abi: loraEscrowAbi,
    functionName: "setOperator",
    args: [operator, allowed],
  });
  const { logs: _, ...mined } = await transactEscrow(ctx, data);
  return mined;
}

/** Ends an offer for good; agreements already opened go on. */
export async function cancelOffer(ctx: ChainContext, offer: Offer): Promise<Mined> {
  const data = encodeFunctionData({ abi: loraEscrowAbi, functionName: "cancelOffer", args: [offer] });
  const { logs: _, ...mined } = await transactEscrow(ctx, data);
  return mined;
}
