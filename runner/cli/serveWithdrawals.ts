/** The flags of `serve` by which earnings are taken out without anybody asking. */
import type { Command } from "commander";
import type { ChainContext } from "../chain/connect.ts";
import { readToken } from "../chain/erc20.ts";
import type { WithdrawalTerms } from "../contributor/withdrawals.ts";
import type { Address } from "../protocol/typedData.ts";
import { parseAmount } from "./amounts.ts";
import { badValue } from "./failure.ts";
import { address, amountText, tokenOption } from "./parsers.ts";

export interface WithdrawalFlags {
  withdrawTo?: Address;
  withdrawAt?: string;
  withdrawToken: Address;
}

export function withWithdrawals(command: Command): Command {
  return command
    .option("--withdraw-to <address>", "take out what was earned by itself, to this address", address)
    .option("--withdraw-at <amount>", "once so much is there, e.g. 0.1eth", amountText)
    .addOption(tokenOption("--withdraw-token <address>", "of this ERC-20"));
}

/** When and where to; nothing unless it is said. @throws DeltapayError `usage/bad-value` */
export async function withdrawalOf(
  ctx: ChainContext,
  { withdrawTo, withdrawAt, withdrawToken }: WithdrawalFlags,
): Promise<{ withdraw?: WithdrawalTerms }> {
  if (withdrawTo === undefined && withdrawAt === undefined) return {};
  if (withdrawTo === undefined || withdrawAt === undefined)
    throw badValue(
      "withdraw",
      "address and amount come together",
      "give both --withdraw-to and --withdraw-at",
    );
  const token = await readToken(ctx, withdrawToken);
  const at = parseAmount(withdrawAt, token, "withdraw-at");
  if (at === 0n)
    throw badValue("withdraw-at", "an empty credit is never taken out", "give more than a transaction costs");
  return { withdraw: { token: token.address, to: withdrawTo, at } };
}
