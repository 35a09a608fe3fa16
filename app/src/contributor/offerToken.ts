/** The token an offer is to be paid in. */
import type { ChainConnection } from "../../../runner/chain/connection.ts";
import type { Token } from "../../../runner/chain/erc20.ts";
import { onChain } from "../../../runner/chain/errors.ts";
import { ensure } from "../../../runner/protocol/errors.ts";
import type { Address } from "../../../runner/protocol/typedData.ts";
import { readShownToken } from "../chain/shownToken.ts";

/**
 * Symbol and decimals of a token that is there: nobody could pay an offer in one that is not.
 * @throws DeltapayError `offer/no-token`, `chain/...`
 */
export async function readOfferToken(chain: ChainConnection, address: Address): Promise<Token> {
  const code = await onChain(chain, () => chain.publicClient.getCode({ address }));
  ensure(code !== undefined, "offer/no-token", "there is no token at this address on this chain", {
    field: "token",
    hint: "check the address; leave it empty to be paid in ETH",
  });
  return readShownToken(chain, address);
}
