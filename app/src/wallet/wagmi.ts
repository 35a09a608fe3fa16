/** Wallets: those that announce themselves to the page (EIP-6963), and no other. */
import { http } from "viem";
import { createConfig } from "wagmi";
import { describeChain, pollingInterval } from "../chain/chain.ts";
import type { PageConfig } from "../config.ts";

/** wagmi's configuration for the one chain of this page. */
export function walletConfig(config: PageConfig) {
  const chain = describeChain(config);
  return createConfig({
    chains: [chain],
    transports: { [chain.id]: http(config.rpcUrl, { retryCount: 1 }) },
    pollingInterval: pollingInterval(chain.id),
    connectors: [],
    multiInjectedProviderDiscovery: true,
  });
}
