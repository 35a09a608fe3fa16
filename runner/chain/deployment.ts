/** deployments/<chainId>/deployment.json: where the contracts are on a chain. Written by `deploy`. */
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { keccak256 } from "viem";
import { z } from "zod";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import type { Address } from "../protocol/typedData.ts";
import { hasCode, writeFileAtomic } from "../storage/files.ts";
import { stringifyMessage } from "../wire/messages.ts";
import type { ChainConnection } from "./connect.ts";
import { onChain } from "./errors.ts";

const DEPLOYMENTS = fileURLToPath(new URL("../../deployments", import.meta.url));

const hash = z.custom<Hex>(
  (value) => typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value),
  "expected 32 bytes in hex",
);
const address = z.custom<Address>(
  (value) => typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value),
  "expected an address",
);

const deploymentSchema = z.strictObject({
  protocol: z.literal(1),
  chainId: z.number().int().min(1),
  registry: address,
  escrow: address,
  /** By key size L. */
  verifiers: z.record(
    z.string().regex(/^[0-9]+$/),
    z.strictObject({ address, codeHash: hash, vkHash: hash, state: z.literal("dev") }),
  ),
  /** No event of these contracts is older. */
  startBlock: z
    .string()
    .regex(/^[0-9]{1,20}$/)
    .transform(BigInt),
  codeHashes: z.strictObject({ registry: hash, escrow: hash }),
  constructorArgs: z.strictObject({ escrow: z.tuple([address]) }),
});

/** Where the contracts are on a chain, and what their code hashes to. */
export type Deployment = z.output<typeof deploymentSchema>;

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

function parseDeployment(text: string, file: string): Deployment {
  const bad = (message: string, field: string): DeltapayError =>
    new DeltapayError("chain/bad-deployment", message, {
      field,
      hint: `${file} is written by: deltapay deploy`,
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw bad("not JSON", file);
  }
  const parsed = deploymentSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw bad(issue.message, issue.path.join(".") || file);
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
