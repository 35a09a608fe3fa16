/** Adapters registered by hand: manifests and registry entries that no honest tool writes. */
import { registerAdapter } from "../../chain/registry.ts";
import { loadServedAdapter, type ServedAdapter } from "../../contributor/adapters.ts";
import { type Hex, toHex } from "../../protocol/bytes.ts";
import type { ModulesPerProof } from "../../protocol/groups.ts";
import { sha256 } from "../../protocol/hash.ts";
import { encodeManifest, type Manifest, manifestHash } from "../../protocol/manifest.ts";
import type { Address } from "../../protocol/typedData.ts";
import type { Party, World } from "../world.ts";
import { type Shown, serveRogue } from "./rogueService.ts";

/** What goes on chain and to the buyer; all else as the honest tool would have it. */
export interface Forgery {
  manifest: Manifest;
  commitments: Uint8Array;
  /** In the registry. */
  groups?: number;
  verifier?: Address;
  /** Who registers and signs. */
  by?: Party;
  /** Other than what was registered. */
  shown?: Partial<Omit<Shown, "adapterId">>;
}

/** An honest adapter of the contributor with its secrets: what forgeries start from. */
export async function honestAdapter(
  world: World,
  modulesPerProof: ModulesPerProof = "all",
  name: "kjv-attn" | "kjv-proj" = "kjv-attn",
): Promise<ServedAdapter> {
  const { adapterId } = await world.register(name, modulesPerProof);
  return loadServedAdapter(world.data, adapterId);
}

/** The manifest with another commitments file. */
export function withCommitments(manifest: Manifest, file: Uint8Array): Manifest {
  return { ...manifest, commitments: { sha256: toHex(sha256(file)), bytes: file.length } };
}

/** The manifest for a base model of another name: the same commitments, another hash and so another adapter. */
export function renamed(manifest: Manifest, name: string): Manifest {
  return { ...manifest, baseModel: { name, sha256: manifest.vkHash } };
}

/** Registers a forgery on chain and shows it to buyers. */
export async function registerForgery(
  world: World,
  { manifest, commitments, groups = manifest.groups, verifier, by = world.contributor, shown = {} }: Forgery,
): Promise<{ adapterId: Hex; url: string }> {
  const bytes = encodeManifest(manifest);
  const { adapterId } = await registerAdapter(by.ctx, {
    manifestHash: manifestHash(bytes),
    uri: "",
    verifier: verifier ?? by.ctx.deployment.verifiers[String(manifest.keySize)]!.address,
    groups,
    salt: manifest.adapterSalt,
  });
  const url = await serveRogue(world, {
    adapterId,
    manifest: bytes,
    commitments,
    recordBy: by.account,
    ...shown,
  });
  return { adapterId, url };
}

/** What an honest buyer does first: find the service and verify the adapter. */
export async function inspect(world: World, url: string): Promise<void> {
  const found = await world.discover(url);
  world.onClose(() => found.client.http.close());
  await world.verify(found);
}
