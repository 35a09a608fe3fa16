/** A token as the page shows it: its own word for itself only where that does not mislead. */
import type { ChainConnection } from "../../../runner/chain/connection.ts";
import { isEth, readToken, type Token } from "../../../runner/chain/erc20.ts";
import type { Address } from "../../../runner/protocol/typedData.ts";
import { displaySymbol } from "../layout/displaySymbol.ts";

/** @throws DeltapayError `chain/...` */
export async function readShownToken(chain: ChainConnection, address: Address): Promise<Token> {
  const token = await readToken(chain, address);
  return isEth(address) ? token : { ...token, symbol: displaySymbol(token.symbol, address) };
}
