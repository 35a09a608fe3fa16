/** What a release of the product publishes and an audit judges by: creation codes, pinned keys, deployment files. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AbiCoder, concat, getCreate2Address, keccak256 } from "ethers";
import type { KeyTrust } from "../protocol/keyTrust.ts";
import { type CommitKey, readCommitKey } from "./formats/commitKey.ts";
import type { Hex } from "./primitives/bytes.ts";
import { toHex } from "./primitives/bytes.ts";
import { tag } from "./primitives/hashes.ts";
import { AuditError, demand, Missing } from "./problem.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Creates contracts at addresses that follow from their code (docs/protocol.md 5). */
export const DEPLOYMENT_PROXY = "0x4e59b44847b379578588920ca78fbf26c0b4956c";
export const DEPLOYMENT_SALT = toHex(tag("deployment"));

/** A key as circuits/keys.json pins it. */
export type PinnedKey = KeyTrust & { size: number; vkHash: Hex };

export interface ReleasedContract {
  name: string;
  creationCode: Hex;
  /** The same on every chain. */
  address: Hex;
}

export interface Release {
  registry: ReleasedContract;
  escrow: ReleasedContract;
  /** With the key each verifies. */
  verifiers: (ReleasedContract & { key: PinnedKey })[];
}

function readJson<Content>(file: string): Content {
  return JSON.parse(readFileSync(`${ROOT}/${file}`, "utf8")) as Content;
}

/** The release this program belongs to. */
export function readRelease(): Release {
  const codes = readJson<Record<string, { bytecode: Hex }>>("runner/chain/generated/bytecode.json");
  const keys = readJson<PinnedKey[]>("circuits/keys.json");
  const contract = (name: string, constructorArgs: Hex = "0x"): ReleasedContract => {
    const code = codes[name];
    if (code === undefined) throw new AuditError("audit/bad-release", `this release has no code of ${name}`);
    const creationCode = concat([code.bytecode, constructorArgs]);
    const address = getCreate2Address(
      DEPLOYMENT_PROXY,
      DEPLOYMENT_SALT,
      keccak256(creationCode),
    ).toLowerCase();
    return { name, creationCode, address };
  };
  const registry = contract("AdapterRegistry");
  return {
    registry,
    escrow: contract("LoraEscrow", AbiCoder.defaultAbiCoder().encode(["address"], [registry.address])),
    verifiers: keys.map((key) => ({ ...contract(`LoraVerifier${key.size}`), key })),
  };
}

/**
 * The commit key of a pinned key, from the file built here.
 * @throws Missing when it was not built, Wrong when it hashes to another vkHash
 */
export function readPinnedKey({ size, vkHash }: PinnedKey): CommitKey {
  const folder = process.env["DELTAPAY_KEYS"] ?? `${ROOT}/build/keys`;
  const file = `${folder}/${size}/commit-key.bin`;
  if (!existsSync(file))
    throw new Missing(`the key of size ${size} is not built here: deltapay keys build --size ${size}`);
  const key = readCommitKey(readFileSync(file));
  demand(key.vkHash === vkHash, `${file} has the vkHash ${key.vkHash}, the release pins ${vkHash}`);
  return key;
}

/** Where a deployment file says the contracts are. */
export interface Deployment {
  chainId: bigint;
  registry: Hex;
  escrow: Hex;
  startBlock: bigint;
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** Reads a deployment file. @throws AuditError `audit/bad-deployment` */
export function readDeployment(file: string): Deployment {
  const bad = (message: string): AuditError =>
    new AuditError("audit/bad-deployment", message, { field: "deployment", hint: `see ${file}` });
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  } catch {
    throw bad("the deployment file cannot be read as JSON");
  }
  const { chainId, registry, escrow, startBlock } = json;
  if (typeof chainId !== "number" || !Number.isSafeInteger(chainId)) throw bad("chainId is missing");
  if (typeof registry !== "string" || !ADDRESS.test(registry)) throw bad("registry is no address");
  if (typeof escrow !== "string" || !ADDRESS.test(escrow)) throw bad("escrow is no address");
  if (typeof startBlock !== "string" || !/^[0-9]{1,20}$/.test(startBlock)) throw bad("startBlock is missing");
  return {
    chainId: BigInt(chainId),
    registry: registry.toLowerCase(),
    escrow: escrow.toLowerCase(),
    startBlock: BigInt(startBlock),
  };
}

/** The deployment meant: that of the file, of the project's file for the chain, or where this release always is. */
export function findDeployment(release: Release, chainId: bigint, file?: string): Deployment {
  const project = `${ROOT}/deployments/${chainId}/deployment.json`;
  const named = file ?? (existsSync(project) ? project : undefined);
  if (named === undefined)
    return { chainId, registry: release.registry.address, escrow: release.escrow.address, startBlock: 0n };
  const deployment = readDeployment(named);
  if (deployment.chainId !== chainId)
    throw new AuditError(
      "audit/wrong-chain",
      `${named} is for chain ${deployment.chainId}, the node is on ${chainId}`,
      {
        field: "deployment",
        hint: "give the --rpc and the --deployment of one chain",
      },
    );
  return deployment;
}
