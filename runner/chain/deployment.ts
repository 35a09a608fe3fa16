/** deployments/<chainId>/deployment.json: where the contracts are on a chain. Written by `deploy`. */
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { keccak256 } from "viem";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import type { Address } from "../protocol/typedData.ts";
import { hasCode, writeFileAtomic } from "../storage/files.ts";
import { stringifyMessage } from "../wire/messages.ts";
import type { ChainConnection } from "./connection.ts";
import { type Deployment, parseDeployment } from "./deploymentFile.ts";
import { onChain } from "./errors.ts";

const DEPLOYMENTS = fileURLToPath(new URL("../../deployments", import.meta.url));

/** The project's file for a chain. */
export function deploymentPath(chainId: number): string {
  return path.join(DEPLOYMENTS, String(chainId), "deployment.json");
}

/** The file's contents; undefined when it is not there. */
export function readDeployment(file: string): Deployment | undefined {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
  return parseDeployment(text, file);
}

/**
 * The deployment of a chain.
 * @param file default: deployments/<chainId>/deployment.json of the project
 * @throws DeltapayError `chain/not-deployed`, `chain/bad-deployment`, `chain/wrong-chain`
 */
export function loadDeployment(chainId: number, file = deploymentPath(chainId)): Deployment {
  const deployment = readDeployment(file);
  if (deployment === undefined)
    throw new DeltapayError("chain/not-deployed", `no contracts are known on chain ${chainId}`, {
      field: file,
      hint: "deploy them: deltapay deploy",
    });
  ensure(
    deployment.chainId === chainId,
    "chain/wrong-chain",
    `${file} is for chain ${deployment.chainId}, the RPC node is on chain ${chainId}`,
    {
      field: "chainId",
      hint: "give the --rpc and the --deployment of one chain",
    },
  );
  return deployment;
}

/** Writes a deployment where `loadDeployment` finds it. */
export function storeDeployment(deployment: Deployment, file = deploymentPath(deployment.chainId)): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  writeFileAtomic(file, new TextEncoder().encode(`${stringifyMessage(deployment, 2)}\n`), 0o644);
}

/** keccak256 of the code at an address; undefined when there is none. */
export async function codeHashAt(chain: ChainConnection, at: Address): Promise<Hex | undefined> {
  const code = await onChain(chain, () => chain.publicClient.getCode({ address: at }));
  return code === undefined ? undefined : keccak256(code);
}

/**
 * Sees that registry and escrow are there, with the code the file names.
 * @throws DeltapayError `chain/not-deployed`, `chain/other-code`
 */
export async function checkDeployed(chain: ChainConnection, deployment: Deployment): Promise<void> {
  for (const name of ["registry", "escrow"] as const) {
    const found = await codeHashAt(chain, deployment[name]);
    ensure(found !== undefined, "chain/not-deployed", `there is no ${name} at ${deployment[name]}`, {
      field: name,
      hint: "a local chain forgets everything when it stops: deltapay deploy",
    });
    ensure(
      found === deployment.codeHashes[name],
      "chain/other-code",
      `the ${name} at ${deployment[name]} has other code`,
      {
        field: `codeHashes.${name}`,
        hint: "do not use this deployment file",
      },
    );
  }
}
