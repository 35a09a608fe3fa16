/** Amounts with their unit. */
import { useQuery } from "@tanstack/react-query";
import { ETH, isEth, type Token } from "../../../runner/chain/erc20.ts";
import type { Address } from "../../../runner/protocol/typedData.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { untilRead } from "../chain/chain.ts";
import { readShownToken } from "../chain/shownToken.ts";
import { amountBeside } from "./amountBeside.ts";

/** A token's symbol and decimals; undefined until they are read. */
export function useToken(address: Address | undefined): Token | undefined {
  const ctx = useChain();
  const token = useQuery({
    queryKey: ["token", ctx.rpcUrl, address?.toLowerCase()],
    queryFn: () => readShownToken(ctx, address!),
    enabled: address !== undefined && !isEth(address),
    staleTime: Number.POSITIVE_INFINITY,
    // Whatever waits for the token says only that it waits.
    refetchInterval: untilRead(ctx.chainId),
  });
  if (address === undefined) return undefined;
  return isEth(address) ? ETH : token.data;
}

/** @param token zero for ETH @param whole amount it is compared with, whose unit it takes */
export function Amount({
  value,
  token: address,
  whole = value,
}: {
  value: bigint;
  token: Address;
  whole?: bigint;
}) {
  const token = useToken(address);
  if (token === undefined) return <span>…</span>;
  return <span title={`${value} of the smallest unit`}>{amountBeside(value, whole, token)}</span>;
}
