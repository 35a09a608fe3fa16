/** Puts the contracts of this version on a chain; what is there already stays. */
import * as path from "node:path";
import type { Address, Hash, Hex } from "viem";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { keyTrust, refuseDevKey } from "../protocol/keyTrust.ts";
import type { ChainConnection } from "./connection.ts";
import { creationCall, DEPLOYMENT_PROXY, ensureDeploymentProxy } from "./create2.ts";
import { codeHashAt, deploymentPath, readDeployment, storeDeployment } from "./deployment.ts";
import type { Deployment } from "./deploymentFile.ts";
import { onChain } from "./errors.ts";
import {
  contractsOfRelease,
  type ReleaseContract,
  releaseContract,
  releaseContracts,
} from "./releaseContracts.ts";
import { storeSources } from "./sourceFiles.ts";
import { send, waitFor } from "./transact.ts";
import { releaseVerifiers, verifierName } from "./verifiers.ts";

export interface DeployOptions {
  /** Where to write; default: deployments/<chainId>/deployment.json of the project. */
  file?: string;
  /** Deploys verifiers of keys whose secrets are public to a chain where money has value. */
  acceptForgeableDevKey?: boolean;
  onContract?: (name: string, done: number, total: number) => void;
}

export interface Deployed {
  deployment: Deployment;
  file: string;
  /** Names of the contracts that were not there before. */
  created: string[];
  gasUsed: bigint;
}

async function missingOf(chain: ChainConnection, contracts: ReleaseContract[]): Promise<ReleaseContract[]> {
  const hashes = await Promise.all(contracts.map(({ address }) => codeHashAt(chain, address)));
  return contracts.filter((_, i) => hashes[i] === undefined);
}

/** Sends all creations, then waits for all: they do not depend on each other. */
async function create(
  chain: ChainConnection,
  contracts: ReleaseContract[],
  onContract: NonNullable<DeployOptions["onContract"]>,
): Promise<{ gasUsed: bigint; firstBlock: bigint | undefined }> {
  const hashes: Hash[] = [];
  for (const { creationCode } of contracts)
    hashes.push(await send(chain, { to: DEPLOYMENT_PROXY, data: creationCall(creationCode) }));
  let gasUsed = 0n;
  let firstBlock: bigint | undefined;
  for (const [i, hash] of hashes.entries()) {
    const receipt = await waitFor(chain, hash);
    const { name } = contracts[i]!;
    if (receipt.status !== "success")
      throw new DeltapayError("chain/deploy-failed", `creating ${name} failed in ${hash}`, { field: name });
    gasUsed += receipt.gasUsed;
    firstBlock ??= receipt.blockNumber;
    onContract(name, i + 1, contracts.length);
  }
  return { gasUsed, firstBlock };
}

/** The block that brought a contract's code, by bisection; 0 where the node has forgotten old states. */
async function blockOfCode(chain: ChainConnection, address: Address): Promise<bigint> {
  let before = -1n;
  let since = await onChain(chain, () => chain.publicClient.getBlockNumber());
  while (since - before > 1n) {
    const blockNumber = (before + since) / 2n;
    try {
      const code = await chain.publicClient.getCode({ address, blockNumber });
      if (code === undefined) before = blockNumber;
      else since = blockNumber;
    } catch {
      return 0n;
    }
  }
  return since;
}

async function codeHashOrThrow(chain: ChainConnection, { name, address }: ReleaseContract): Promise<Hex> {
  const found = await codeHashAt(chain, address);
  ensure(found !== undefined, "chain/deploy-failed", `${name} is not at ${address} after its creation`, {
    field: name,
  });
  return found;
}

async function describe(chain: ChainConnection, startBlock: bigint): Promise<Deployment> {
  const { registry, escrow } = contractsOfRelease();
  const verifiers: Deployment["verifiers"] = {};
  for (const verifier of releaseVerifiers()) {
    const { size, address, codeHash, vkHash } = verifier;
    const found = await codeHashOrThrow(chain, { ...releaseContract(verifierName(size)), address });
    ensure(
      found === codeHash,
      "chain/other-code",
      `${verifierName(size)} has other code than this version's`,
      {
        field: verifierName(size),
        hint: "regenerate runner/chain/generated: npm run generate",
      },
    );
    verifiers[String(size)] = { address, codeHash, vkHash, ...keyTrust(verifier) };
  }
  return {
    protocol: 1,
    chainId: chain.chainId,
    registry: registry.address,
    escrow: escrow.address,
    verifiers,
    startBlock,
    codeHashes: {
      registry: await codeHashOrThrow(chain, registry),
      escrow: await codeHashOrThrow(chain, escrow),
    },
    constructorArgs: { escrow: [registry.address] },
  };
}

/**
 * Deploys what is missing and writes the deployment file, and beside it what verifies the sources. A second call changes
 * nothing.
 * @throws DeltapayError `key/dev-key`, `chain/deploy-failed`, `chain/other-code`, `account/missing`, `chain/...`
 */
export async function deploy(chain: ChainConnection, options: DeployOptions = {}): Promise<Deployed> {
  const {
    file = deploymentPath(chain.chainId),
    acceptForgeableDevKey = false,
    onContract = () => {},
  } = options;
  for (const key of releaseVerifiers()) refuseDevKey(key, chain.chainId, acceptForgeableDevKey);
  const { registry } = contractsOfRelease();
  const missing = await missingOf(chain, releaseContracts());
  if (missing.length > 0) await ensureDeploymentProxy(chain);
  const { gasUsed, firstBlock } = await create(chain, missing, onContract);
  const fresh = missing.some(({ address }) => address === registry.address);
  const known = fresh ? undefined : readDeployment(file);
  const startBlock = fresh
    ? firstBlock!
    : known?.registry === registry.address
      ? known.startBlock
      : await blockOfCode(chain, registry.address);
  const deployment = await describe(chain, startBlock);
  storeDeployment(deployment, file);
  storeSources(path.dirname(file));
  return { deployment, file, created: missing.map(({ name }) => name), gasUsed };
}
