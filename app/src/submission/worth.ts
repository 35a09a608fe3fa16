/** What settling a receipt brings its payout account. Amounts in the token's smallest unit. */
import type { Agreement } from "../../../runner/chain/agreements.ts";
import { isEth } from "../../../runner/chain/erc20.ts";
import type { Receipt } from "../../../runner/protocol/typedData.ts";

export interface Worth {
  /** All the receipt is worth: tokens at the price, never above what was paid in. */
  whole: bigint;
  /** What earlier receipts have not brought yet. */
  more: bigint;
}

export function worthOf(
  { tokens }: Pick<Receipt, "tokens">,
  { pricePerToken, amount, paid }: Pick<Agreement, "pricePerToken" | "amount" | "paid">,
): Worth {
  const owed = tokens * pricePerToken;
  const whole = owed < amount ? owed : amount;
  return { whole, more: whole > paid ? whole - paid : 0n };
}

/** Whether settling is seen to cost more than it brings: gas is ETH, and compares with nothing else but nothing. */
export function isLoss(
  { more }: Pick<Worth, "more">,
  { token }: Pick<Agreement, "token">,
  wei: bigint,
): boolean {
  return more === 0n || (isEth(token) && wei > more);
}
