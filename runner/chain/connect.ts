/** Connections to a chain: how to reach it, who signs, which contracts. */
import {
  type Chain,
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
  type LocalAccount,
} from "viem";
import { DeltapayError } from "../protocol/errors.ts";
import type { Domain } from "../protocol/typedData.ts";
import type { ChainConnection } from "./connection.ts";
import { checkDeployed, loadDeployment } from "./deployment.ts";
import { type Deployment, deploymentDomain } from "./deploymentFile.ts";
import { asChainError } from "./errors.ts";
import { isLocalChain } from "./localChain.ts";

export const DEFAULT_RPC_URL = "http://127.0.0.1:8545";

/** A chain with the contracts on it. */
export interface ChainContext extends ChainConnection {
  deployment: Deployment;
}

function chainOf(chainId: number, rpcUrl: string): Chain {
  return defineChain({
    id: chainId,
    name: isLocalChain(chainId) ? "local" : `chain ${chainId}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
}

/** Milliseconds between looks for a receipt; a local chain mines at once. */
function pollingInterval(chainId: number): number {
  return isLocalChain(chainId) ? 25 : 2000;
}

/** A node that answers nothing is given up after so many milliseconds, and so many more tries of a request. */
const RPC_LIMITS = { timeout: 10_000, retryCount: 3 } as const;

function checkUrl(rpcUrl: string): void {
  if (!URL.canParse(rpcUrl) || !/^https?:$/.test(new URL(rpcUrl).protocol))
    throw new DeltapayError("chain/bad-url", "the RPC address is not an http or https URL", {
      field: "rpc",
      hint: `write it like ${DEFAULT_RPC_URL}`,
    });
}

async function askChainId(rpcUrl: string): Promise<number> {
  const client = createPublicClient({ transport: http(rpcUrl, { ...RPC_LIMITS, retryCount: 1 }) });
  try {
    return await client.getChainId();
  } catch (error) {
    throw asChainError(error, { rpcUrl });
  }
}

/**
 * Connects to whatever chain answers at `rpcUrl`.
 * @throws DeltapayError `chain/bad-url`, `chain/unreachable`
 */
export async function connectChain(options: {
  rpcUrl: string;
  account?: LocalAccount;
}): Promise<ChainConnection> {
  const { rpcUrl, account } = options;
  checkUrl(rpcUrl);
  const chainId = await askChainId(rpcUrl);
  const publicClient = createPublicClient({
    chain: chainOf(chainId, rpcUrl),
    transport: http(rpcUrl, RPC_LIMITS),
    pollingInterval: pollingInterval(chainId),
    cacheTime: 0,
  });
  const connection = { rpcUrl, chainId, publicClient };
  return account === undefined ? connection : withAccount(connection, account);
}

/** The same connection, signing with an account. */
export function withAccount<Connection extends ChainConnection>(
  connection: Connection,
  account: LocalAccount,
): Connection & { account: LocalAccount } {
  const { rpcUrl, chainId } = connection;
  const walletClient = createWalletClient({
    account,
    chain: chainOf(chainId, rpcUrl),
    transport: http(rpcUrl, RPC_LIMITS),
  });
  return { ...connection, account, walletClient };
}

/**
 * The connection with its contracts, seen to be there.
 * @param file default: deployments/<chainId>/deployment.json of the project
 * @throws DeltapayError `chain/not-deployed`, `chain/bad-deployment`, `chain/other-code`
 */
export async function withDeployment<Connection extends ChainConnection>(
  connection: Connection,
  file?: string,
): Promise<Connection & { deployment: Deployment }> {
  const deployment = loadDeployment(connection.chainId, file);
  await checkDeployed(connection, deployment);
  return { ...connection, deployment };
}

/**
 * Connects to a chain and its contracts.
 * @throws DeltapayError as `connectChain` and `withDeployment`
 */
export async function connect(options: {
  rpcUrl: string;
  account?: LocalAccount;
  deploymentFile?: string;
}): Promise<ChainContext> {
  return withDeployment(await connectChain(options), options.deploymentFile);
}

/** EIP-712 domain of the deployment in use. */
export function domainOf({ deployment }: { deployment: Deployment }): Domain {
  return deploymentDomain(deployment);
}
