/** An amount as a person typed it. */
import { isEth, type Token } from "../../../runner/chain/erc20.ts";
import { parseAmount } from "../../../runner/cli/amounts.ts";
import { DeltapayError } from "../../../runner/protocol/errors.ts";

/** The units a person may write for a token. */
export function unitsOf(token: Token): string {
  return isEth(token.address) ? "eth, gwei or wei" : token.symbol;
}

/**
 * In the smallest unit. A bare number is refused, unless it is 0: nobody who types 1 means 1 wei.
 * @throws DeltapayError `offer/bad-field`, `usage/bad-value` naming the field
 */
export function typedAmount(text: string, token: Token, field: string): bigint {
  const typed = text.trim();
  if (/^[0-9.]+$/.test(typed) && !/^0+$/.test(typed))
    throw new DeltapayError("offer/bad-field", `'${typed}' has no unit`, {
      field,
      hint: `add the unit: ${unitsOf(token)}`,
    });
  return parseAmount(typed, token, field);
}
