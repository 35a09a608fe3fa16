/** Amounts that are read one beside the other: all in the unit of the whole. */
import { formatUnits } from "viem";
import type { Token } from "../../../runner/chain/erc20.ts";
import { formatAmount } from "../../../runner/cli/amounts.ts";

/** Exact, in the unit in which `whole` reads best, so that one is compared with the other at a glance. */
export function amountBeside(value: bigint, whole: bigint, token: Token): string {
  const [, unit] = formatAmount(whole === 0n ? value : whole, token).split(" ");
  const decimals = unit === "wei" ? 0 : unit === "gwei" ? 9 : token.decimals;
  return `${formatUnits(value, decimals)} ${unit}`;
}
