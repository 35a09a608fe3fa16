/** The chain as this page reads it: through the configured node, never through the wallet. */
import { type Chain, createPublicClient, defineChain, http } from "viem";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { isLocalChain } from "../../../runner/chain/localChain.ts";
import type { PageConfig } from "../config.ts";

/** The configured chain, as viem and wallets want it described. */
export function describeChain({ chainId, rpcUrl }: PageConfig): Chain {
  return defineChain({
    id: chainId,
    name: isLocalChain(chainId) ? "Local chain" : `Chain ${chainId}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
}

/** Milliseconds between looks at the chain. */
export function pollingInterval(chainId: number): number {
  return isLocalChain(chainId) ? 1000 : 4000;
}

/** For `refetchInterval`: what could not be read is asked for again by itself. */
export function untilRead(chainId: number): (query: { state: { error: unknown } }) => number | false {
  return ({ state }) => (state.error === null ? false : pollingInterval(chainId));
}

/** Everything the functions of runner/chain that only read ask for. */
export function readingContext(config: PageConfig): ChainContext {
  const { rpcUrl, chainId, deployment } = config;
  const publicClient = createPublicClient({
    chain: describeChain(config),
    transport: http(rpcUrl, { retryCount: 1, timeout: 15_000 }),
    pollingInterval: pollingInterval(chainId),
    cacheTime: 0,
  });
  return { rpcUrl, chainId, deployment, publicClient };
}
