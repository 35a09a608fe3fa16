/** Every fact of a deployment file against the chain and against this version, one by one. */
import type { Address } from "viem";
import type { PinnedKey } from "../keys/artefacts.ts";
import { pinnedKeys } from "../keys/pinned.ts";
import type { Hex } from "../protocol/bytes.ts";
import { keyTrust } from "../protocol/keyTrust.ts";
import { contractCode } from "./bytecode.ts";
import type { ChainConnection } from "./connection.ts";
import { codeHashAt } from "./deployment.ts";
import type { Deployment } from "./deploymentFile.ts";
import { onChain } from "./errors.ts";
import { loraEscrowAbi, loraVerifierAbi } from "./generated/abi.ts";
import { contractsOfRelease, type ReleaseContract, releaseContract } from "./releaseContracts.ts";
import { readSourceFile, sourceFiles } from "./sourceFiles.ts";
import { verifierName } from "./verifiers.ts";

export interface Fact {
  /** What should hold, as a field of the file where there is one. */
  fact: string;
  /** `unknown`: the node cannot tell, because it has forgotten old states. */
  result: "passed" | "failed" | "unknown";
  /** What was found, and what was expected if that is something else. */
  detail: string;
}

/** Equal but for the case of hex digits, which addresses use for a checksum. */
function compare(fact: string, found: string | undefined, expected: string): Fact {
  const passed = found?.toLowerCase() === expected.toLowerCase();
  const detail = passed ? expected : `${found ?? "nothing"}, expected ${expected}`;
  return { fact, result: passed ? "passed" : "failed", detail };
}

/** Reads from a contract; undefined where there is none that answers. */
async function answer<Value>(chain: ChainConnection, read: () => Promise<Value>): Promise<Value | undefined> {
  // A node that is gone is an error; a contract that reverts or is not there is a finding.
  await onChain(chain, () => chain.publicClient.getChainId());
  return read().catch(() => undefined);
}

interface Named {
  field: string;
  address: Address;
  codeHash: Hex;
  release: ReleaseContract;
}

/** Where the contract is, and its code: in the file, on the chain and in this version. */
async function contractFacts(
  chain: ChainConnection,
  { field, address, codeHash, release }: Named,
): Promise<Fact[]> {
  const found = await codeHashAt(chain, address);
  const facts = [
    compare(`${field}: the address of this version's ${release.name}`, address, release.address),
    compare(`${field}: code on the chain as in the file`, found, codeHash),
  ];
  const { runtimeCodeHash } = contractCode(release.name);
  if (runtimeCodeHash !== null)
    facts.push(compare(`${field}: code on the chain as in this version`, found, runtimeCodeHash));
  return facts;
}

/** What the escrow was constructed with; its code differs from chain to chain by that and the chain's id. */
async function escrowFacts(chain: ChainConnection, deployment: Deployment): Promise<Fact[]> {
  const { registry, escrow: address, chainId, constructorArgs } = deployment;
  const { publicClient } = chain;
  const escrow = { address, abi: loraEscrowAbi } as const;
  const asked = await answer(chain, () => publicClient.readContract({ ...escrow, functionName: "registry" }));
  const domain = await answer(chain, () =>
    publicClient.readContract({ ...escrow, functionName: "eip712Domain" }),
  );
  const expected = ["deltapay", "1", String(chainId), address].join(" ");
  const found = domain && [domain[1], domain[2], String(domain[3]), domain[4]].join(" ");
  return [
    compare("constructorArgs.escrow: the registry of the file", constructorArgs.escrow[0], registry),
    compare("escrow: the registry it looks adapters up in", asked, registry),
    compare("escrow: its EIP-712 domain", found, expected),
  ];
}

async function verifierFacts(
  chain: ChainConnection,
  { size, vkHash, ...pinned }: PinnedKey,
  listed: Deployment["verifiers"][string] | undefined,
): Promise<Fact[]> {
  const field = `verifiers.${size}`;
  if (listed === undefined) return [{ fact: field, result: "failed", detail: "not in the file" }];
  const { address, codeHash } = listed;
  const release = releaseContract(verifierName(size));
  const asked = await answer(chain, () =>
    chain.publicClient.readContract({ address, abi: loraVerifierAbi, functionName: "vkHash" }),
  );
  const [inFile, inVersion] = [keyTrust(listed), keyTrust(pinned)].map((trust) => JSON.stringify(trust));
  return [
    ...(await contractFacts(chain, { field, address, codeHash, release })),
    compare(`${field}: the key the contract names`, asked, vkHash),
    compare(`${field}: the key in the file`, listed.vkHash, vkHash),
    compare(`${field}: how its key came about`, inFile, inVersion!),
  ];
}

/** The registry's code is there in the block named, and not in the one before. */
async function startFacts(chain: ChainConnection, { registry, startBlock }: Deployment): Promise<Fact[]> {
  const hasCode = async (blockNumber: bigint): Promise<boolean> =>
    (await chain.publicClient.getCode({ address: registry, blockNumber })) !== undefined;
  const newest = await onChain(chain, () => chain.publicClient.getBlockNumber());
  const fact = "startBlock: the block that brought the registry";
  if (startBlock > newest)
    return [{ fact, result: "failed", detail: `block ${startBlock}, the newest is ${newest}` }];
  try {
    const [there, before] = [await hasCode(startBlock), startBlock > 0n && (await hasCode(startBlock - 1n))];
    const detail = `block ${startBlock}${there ? "" : ": no registry yet"}${before ? ": it was there before" : ""}`;
    return [{ fact, result: there && !before ? "passed" : "failed", detail }];
  } catch {
    const detail = "the node has forgotten old states: ask an archive node";
    return [{ fact, result: "unknown", detail }];
  }
}

function sourceFacts(directory: string): Fact[] {
  return [...sourceFiles()].map(([name, text]) => {
    const found = readSourceFile(directory, name);
    const detail = found === undefined ? "missing: deltapay deploy writes it" : "differs from this version's";
    return {
      fact: `sources/${name}: compiles to the code deployed`,
      result: found === text ? "passed" : "failed",
      detail: found === text ? "as this version gives it" : detail,
    };
  });
}

/**
 * All facts of a deployment, those that hold and those that do not.
 * @param directory of the deployment file, where the sources are kept
 * @throws DeltapayError `chain/...` when the node does not answer
 */
export async function verifyDeployment(
  chain: ChainConnection,
  deployment: Deployment,
  directory: string,
): Promise<Fact[]> {
  const { registry, escrow } = contractsOfRelease();
  const { codeHashes, verifiers } = deployment;
  const known = pinnedKeys();
  const strangers = Object.keys(verifiers).filter((size) => !known.some((key) => String(key.size) === size));
  const facts: Fact[] = [
    compare("chainId: the node's", String(chain.chainId), String(deployment.chainId)),
    ...(await contractFacts(chain, {
      field: "registry",
      address: deployment.registry,
      codeHash: codeHashes.registry,
      release: registry,
    })),
    ...(await contractFacts(chain, {
      field: "escrow",
      address: deployment.escrow,
      codeHash: codeHashes.escrow,
      release: escrow,
    })),
    ...(await escrowFacts(chain, deployment)),
  ];
  for (const key of known) facts.push(...(await verifierFacts(chain, key, verifiers[String(key.size)])));
  for (const size of strangers)
    facts.push({ fact: `verifiers.${size}`, result: "failed", detail: "no key of this version" });
  return [...facts, ...(await startFacts(chain, deployment)), ...sourceFacts(directory)];
}
