/** What code asks for that only speaks to a chain, whatever is on it. */
import type { Chain, HttpTransport, LocalAccount, PublicClient, WalletClient } from "viem";

/** A chain, and perhaps an account, before it is known whether the contracts are there. */
export interface ChainConnection {
  rpcUrl: string;
  chainId: number;
  publicClient: PublicClient<HttpTransport, Chain>;
  walletClient?: WalletClient<HttpTransport, Chain, LocalAccount>;
  account?: LocalAccount;
}
