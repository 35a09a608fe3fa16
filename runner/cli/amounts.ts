/** Amounts with units, as people write and read them. */
import { formatUnits, parseUnits } from "viem";
import type { Token } from "../chain/erc20.ts";
import { isEth } from "../chain/erc20.ts";
import { DeltapayError } from "../protocol/errors.ts";

/** Decimals of a unit's name for a token; undefined when it has none of that name. */
function decimalsOf(unit: string, token: Token): number | undefined {
  const name = unit.toLowerCase();
  if (name === token.symbol.toLowerCase()) return token.decimals;
  if (!isEth(token.address)) return undefined;
  return { wei: 0, gwei: 9, ether: 18 }[name];
}

const AMOUNT = /^\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z][\w.]*)?\s*$/;

/** Whether a text can be an amount, before the token and so its units are known. */
export function isAmount(text: string): boolean {
  return AMOUNT.test(text);
}

// Not that of the command line: a browser reads amounts too.
function badValue(field: string, message: string, hint: string): DeltapayError {
  return new DeltapayError("usage/bad-value", message, { field, hint });
}

/**
 * An amount in the token's smallest unit: `1000`, or with a unit `0.5eth`, `20 gwei`, `3.5USDC`.
 * @throws DeltapayError `usage/bad-value`
 */
export function parseAmount(text: string, token: Token, field: string): bigint {
  const units = isEth(token.address) ? "eth, gwei, wei" : token.symbol;
  const [, number, unit] = AMOUNT.exec(text) ?? [];
  if (number === undefined)
    throw badValue(field, `'${text}' is not an amount`, `write it like 1000 or with a unit: ${units}`);
  if (unit === undefined) {
    if (number.includes("."))
      throw badValue(field, `'${text}' needs a unit`, `without one it is in the smallest unit: add ${units}`);
    return BigInt(number);
  }
  const decimals = decimalsOf(unit, token);
  if (decimals === undefined) throw badValue(field, `'${unit}' is no unit of this token`, `use ${units}`);
  const fraction = number.split(".")[1]?.replace(/0+$/, "") ?? "";
  if (fraction.length > decimals)
    throw badValue(field, `'${text}' is finer than the smallest unit`, `at most ${decimals} decimals`);
  return parseUnits(number, decimals);
}

/** An amount with the unit that reads best. */
export function formatAmount(value: bigint, token: Token): string {
  if (!isEth(token.address)) return `${formatUnits(value, token.decimals)} ${token.symbol}`;
  if (value !== 0n && value < 10n ** 9n) return `${value} wei`;
  if (value !== 0n && value < 10n ** 14n) return `${formatUnits(value, 9)} gwei`;
  return `${formatUnits(value, 18)} ETH`;
}
