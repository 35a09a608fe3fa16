/** Amounts with their unit. */
import { useQuery } from "@tanstack/react-query";
import { ETH, isEth, readToken, type Token } from "../../../runner/chain/erc20.ts";
import { formatAmount } from "../../../runner/cli/amounts.ts";
import type { Address } from "../../../runner/protocol/typedData.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { displaySymbol } from "./displaySymbol.ts";

/** A token's symbol and decimals; undefined until they are read. */
export function useToken(address: Address | undefined): Token | undefined {
  const ctx = useChain();
  const token = useQuery({
    queryKey: ["token", ctx.rpcUrl, address?.toLowerCase()],
    queryFn: async () => {
      const read = await readToken(ctx, address!);
      return { ...read, symbol: displaySymbol(read.symbol, address!) };
    },
    enabled: address !== undefined && !isEth(address),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (address === undefined) return undefined;
  return isEth(address) ? ETH : token.data;
}

/** @param token zero for ETH */
export function Amount({ value, token: address }: { value: bigint; token: Address }) {
  const token = useToken(address);
  if (token === undefined) return <span>…</span>;
  return <span title={`${value} of the smallest unit`}>{formatAmount(value, token)}</span>;
}
