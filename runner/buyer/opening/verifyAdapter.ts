/** All that a buyer checks of an adapter before it pays in (protocol 3, 4, 6). */
import { loadCommitKey } from "../../keys/load.ts";
import { type Hex, toHex } from "../../protocol/bytes.ts";
import { decodeKeyPoints, type KeyPoints } from "../../protocol/commitment.ts";
import {
  type CheckedAdapter,
  checkManifest,
  commitmentsFileBytes,
  decodeCommitmentsFile,
} from "../../protocol/commitmentsFile.ts";
import { type Curve, decodePoints } from "../../protocol/curve.ts";
import { ensure } from "../../protocol/errors.ts";
import { sha256 } from "../../protocol/hash.ts";
import { type CommitKey, vkHash } from "../../protocol/key.ts";
import { isForgeable } from "../../protocol/keyTrust.ts";
import type { AdapterLayout } from "../../protocol/layout.ts";
import { decodeManifest, type Manifest, manifestLayout } from "../../protocol/manifest.ts";
import { columnSums } from "../../protocol/statement.ts";
import type { Address } from "../../protocol/typedData.ts";
import type { ContributorClient } from "../client/contributorClient.ts";
import type { RegistryEntry } from "../client/discover.ts";
import type { AdapterCache } from "./adapterCache.ts";
import { type Release, type ReleasedVerifier, releasedVerifier } from "./release.ts";

/** A node of the base model that an adapter can attach to. */
export interface TargetShape {
  /** PEFT module path, as in the manifest. */
  modulePath: string;
  dIn: number;
  dOut: number;
}

/** Steps in order; `done` of `total` in bytes or modules. */
export type VerifyStep = "key" | "manifest" | "commitments" | "proofs of knowledge";

export interface VerifyAdapterOptions {
  curve: Curve;
  client: Pick<ContributorClient, "manifest" | "commitments">;
  adapterId: Hex;
  /** At the final block. */
  entry: RegistryEntry;
  chainId: bigint;
  registry: Address;
  release: Release;
  cache: AdapterCache;
  /** The base model's nodes for the manifest's modules. */
  findTargets: (manifest: Manifest) => readonly TargetShape[] | Promise<readonly TargetShape[]>;
  /** SHA-256 of the base model's file; a difference from the manifest's is a warning, exports of one model differ. */
  baseModelSha256?: Hex;
  /** Go on off a local chain with a key under which anyone can forge proofs. */
  acceptForgeableDevKey?: boolean;
  /** Default: the key built on this machine. */
  loadKey?: (size: number) => Promise<CommitKey>;
  onProgress?: (step: VerifyStep, done: number, total: number) => void;
}

/** An adapter whose every check passed, with what receipts are computed from. */
export interface VerifiedAdapter extends CheckedAdapter {
  adapterId: Hex;
  entry: RegistryEntry;
  verifier: ReleasedVerifier;
  key: KeyPoints;
  /** `columnSums` of the commitments. */
  sums: Uint8Array[];
  /** What a person should know and may accept. */
  warnings: string[];
  /** Whether the proofs of knowledge were checked in an earlier run. */
  fromCache: boolean;
}

/**
 * Verifies an adapter: verifier and key of this release, manifest and commitments of the registry's hash, agreement
 * between them, shapes of the base model, every point and every proof of knowledge.
 * @throws DeltapayError `adapter/...`, `manifest/...`, `key/...`, `layout/...`, `point/...`, `http/...`
 */
export async function verifyAdapter(options: VerifyAdapterOptions): Promise<VerifiedAdapter> {
  const { curve, entry, release, chainId } = options;
  const verifier = releasedVerifier(release, entry, chainId, options.acceptForgeableDevKey ?? false);
  const key = await loadReleasedKey(curve, verifier, options);
  const manifest = await fetchManifest(options);
  compareWithRegistry(manifest, verifier, options);
  await compareWithModel(manifest, options);
  const checked = await checkCommitments(key, manifest, options);
  return {
    ...checked,
    adapterId: options.adapterId,
    entry,
    verifier,
    key,
    warnings: warningsOf(manifest, verifier, options),
  };
}

/** The local key, which is the one in the verifier's code. */
async function loadReleasedKey(
  curve: Curve,
  verifier: ReleasedVerifier,
  { loadKey = loadCommitKey, onProgress }: VerifyAdapterOptions,
): Promise<KeyPoints> {
  onProgress?.("key", 0, 1);
  const commitKey = await loadKey(verifier.size);
  const found = vkHash(commitKey);
  ensure(
    found === verifier.vkHash.toLowerCase(),
    "key/not-pinned",
    `the local key of size ${verifier.size} has vkHash ${found}, the verifier ${verifier.vkHash}`,
    {
      field: "vkHash",
      hint: "build the keys of this release: `deltapay keys build`",
    },
  );
  const points = await decodeKeyPoints(curve, commitKey);
  onProgress?.("key", 1, 1);
  return points;
}

async function fetchManifest({
  cache,
  client,
  adapterId,
  entry,
  onProgress,
}: VerifyAdapterOptions): Promise<Manifest> {
  onProgress?.("manifest", 0, 1);
  const hash = entry.manifestHash.toLowerCase() as Hex;
  const bytes = await cache.file("manifest", hash, () => client.manifest(adapterId));
  ensure(toHex(sha256(bytes)) === hash, "manifest/hash", "the manifest served is not the registered one", {
    field: "manifest",
    hint: "ask the contributor for the file with the registered SHA-256",
  });
  const manifest = decodeManifest(bytes);
  onProgress?.("manifest", 1, 1);
  return manifest;
}

/** What the chain settles by and what the commitments were made for must be one (protocol 6: 24 groups here, 1 there). */
function compareWithRegistry(
  manifest: Manifest,
  verifier: ReleasedVerifier,
  { entry, chainId, registry }: VerifyAdapterOptions,
): void {
  const same = (code: string, field: keyof Manifest, expected: string | number): void => {
    const found = String(manifest[field]);
    ensure(
      found === String(expected).toLowerCase(),
      `manifest/${code}`,
      `the manifest says ${found}, the chain ${expected}`,
      {
        field: `manifest.${field}`,
        hint: "do not open an agreement with this adapter",
      },
    );
  };
  same("chain", "chainId", chainId.toString());
  same("registry", "registry", registry);
  same("contributor", "contributor", entry.contributor);
  same("key", "vkHash", verifier.vkHash);
  same("key", "keySize", verifier.size);
  same("groups", "groups", entry.groups);
}

async function compareWithModel(manifest: Manifest, { findTargets }: VerifyAdapterOptions): Promise<void> {
  const targets = new Map((await findTargets(manifest)).map((target) => [target.modulePath, target]));
  for (const [m, { name, shape }] of manifest.modules.entries()) {
    const target = targets.get(name);
    ensure(target !== undefined, "adapter/no-such-module", `the base model has no layer '${name}'`, {
      field: `manifest.modules[${m}].name`,
      hint: "use the base model the adapter was trained for",
    });
    ensure(
      target.dIn === shape[0] && target.dOut === shape[1],
      "adapter/other-shape",
      `'${name}' is ${shape[0]} to ${shape[1]}, the base model's layer ${target.dIn} to ${target.dOut}`,
      {
        field: `manifest.modules[${m}].shape`,
        hint: "use the base model the adapter was trained for",
      },
    );
  }
}

async function checkCommitments(
  key: KeyPoints,
  manifest: Manifest,
  options: VerifyAdapterOptions,
): Promise<CheckedAdapter & Pick<VerifiedAdapter, "sums" | "fromCache">> {
  const { curve, cache, entry, onProgress } = options;
  const layout = manifestLayout(manifest);
  const file = await fetchCommitments(manifest, layout, options);
  const files = {
    manifest: entry.manifestHash.toLowerCase() as Hex,
    vkHash: manifest.vkHash,
    commitments: manifest.commitments.sha256,
  };
  const known = await cache.verified(curve, files, layout.modules.length);
  if (known !== undefined)
    return { ...(await decodeVerified(curve, manifest, file)), sums: known, fromCache: true };
  const checked = await checkManifest(curve, key, manifest, file, (done, total) =>
    onProgress?.("proofs of knowledge", done, total),
  );
  const sums = await columnSums(curve, checked.commitments);
  cache.noteVerified(curve, files, sums);
  return { ...checked, sums, fromCache: false };
}

async function fetchCommitments(
  { commitments: { sha256: hash, bytes } }: Manifest,
  layout: AdapterLayout,
  { cache, client, adapterId, onProgress }: VerifyAdapterOptions,
): Promise<Uint8Array> {
  // Known before a byte of it: up to a gigabyte would be fetched, kept in memory and on disk, and then refused.
  const expected = commitmentsFileBytes(layout);
  ensure(
    bytes === expected,
    "manifest/commitments",
    `the manifest names a commitments file of ${bytes} bytes, its shapes make ${expected}`,
    { field: "manifest.commitments.bytes", hint: "do not open an agreement with this adapter" },
  );
  onProgress?.("commitments", 0, bytes);
  const file = await cache.file("commitments", hash, () =>
    client.commitments(adapterId, bytes, (received) => onProgress?.("commitments", received, bytes)),
  );
  ensure(
    toHex(sha256(file)) === hash && file.length === bytes,
    "manifest/commitments",
    "the commitments file is not the one the manifest names",
    {
      field: "manifest.commitments",
    },
  );
  onProgress?.("commitments", bytes, bytes);
  return file;
}

/** Commitments of a file whose proofs of knowledge were checked before. Points are still checked. */
async function decodeVerified(curve: Curve, manifest: Manifest, file: Uint8Array): Promise<CheckedAdapter> {
  const layout = manifestLayout(manifest);
  const { encoded } = decodeCommitmentsFile(layout, file);
  const commitments = [];
  for (const [m, { CA, CB }] of encoded.entries()) {
    const { name } = layout.modules[m]!;
    commitments.push({
      CA: await decodePoints(curve, CA, `${name}.CA`),
      CB: await decodePoints(curve, CB, `${name}.CB`),
    });
  }
  return { manifest, layout, commitments };
}

function warningsOf(
  manifest: Manifest,
  verifier: ReleasedVerifier,
  { baseModelSha256, acceptForgeableDevKey }: VerifyAdapterOptions,
): string[] {
  const warnings: string[] = [];
  if (isForgeable(verifier) && acceptForgeableDevKey === true)
    warnings.push("the key is a dev key: anyone can forge proofs under it and take what is paid in");
  const named = manifest.baseModel;
  if (named !== null && baseModelSha256 !== undefined && named.sha256 !== baseModelSha256.toLowerCase())
    warnings.push(
      `the base model's file is not the one the adapter names ('${named.name}', ${named.sha256}): another export is fine, another model is not`,
    );
  return warnings;
}
