/** Registered adapters: their rows, their public files, and all of one in memory to serve and prove with. */
import * as path from "node:path";
import type { Hex } from "../protocol/bytes.ts";
import { concatBytes, fromHex } from "../protocol/bytes.ts";
import type { ModuleBlinds } from "../protocol/commitment.ts";
import { DeltapayError } from "../protocol/errors.ts";
import type { AdapterLayout } from "../protocol/layout.ts";
import { decodeManifest, encodeScales, type Manifest, manifestLayout } from "../protocol/manifest.ts";
import { registrationBlinds } from "../protocol/registration.ts";
import type { Address } from "../protocol/typedData.ts";
import { makePrivateDirectory, readFileIfThere, writeFileAtomic } from "../storage/files.ts";
import { type AdapterSecret, adapterSecretName, decodeAdapterSecret } from "./adapterSecret.ts";
import type { ContributorData } from "./dataFolder.ts";
import { all, nowSeconds, run } from "./store/rows.ts";

export interface AdapterRecord {
  adapterId: Hex;
  chainId: bigint;
  registry: Address;
  contributor: Address;
  /** Name of the PEFT folder. */
  name: string;
  uri: string;
  verifier: Address;
  verifierCodeHash: Hex;
  manifestHash: Hex;
  /** False while only prepared here: not yet seen on chain. */
  registered: boolean;
  txHash: Hex | null;
}

/** An adapter ready to serve. Holds secrets. */
export interface ServedAdapter {
  record: AdapterRecord;
  manifest: Manifest;
  layout: AdapterLayout;
  /** Public files, as served. */
  manifestBytes: Uint8Array;
  commitments: Uint8Array;
  weights: AdapterSecret["modules"];
  blinds: ModuleBlinds[];
  /** scaleSalt 32 bytes, then b of every module: for authenticated buyers. */
  scales: Uint8Array;
}

interface Row {
  adapter_id: Hex;
  chain_id: string;
  registry: Address;
  contributor: Address;
  name: string;
  uri: string;
  verifier: Address;
  verifier_code_hash: Hex;
  manifest_hash: Hex;
  registered: number;
  tx_hash: Hex | null;
}

/** All adapters of the data folder, oldest first. */
export function listAdapters(data: ContributorData): AdapterRecord[] {
  return all<Row>(data.database, "SELECT * FROM adapter ORDER BY created_at, rowid").map((row) => ({
    adapterId: row.adapter_id,
    chainId: BigInt(row.chain_id),
    registry: row.registry,
    contributor: row.contributor,
    name: row.name,
    uri: row.uri,
    verifier: row.verifier,
    verifierCodeHash: row.verifier_code_hash,
    manifestHash: row.manifest_hash,
    registered: row.registered === 1,
    txHash: row.tx_hash,
  }));
}

/** @throws DeltapayError `adapter/unknown` */
export function getAdapter(data: ContributorData, adapterId: Hex): AdapterRecord {
  const found = listAdapters(data).find((adapter) => adapter.adapterId === adapterId.toLowerCase());
  if (found === undefined)
    throw new DeltapayError("adapter/unknown", `adapter ${adapterId} was not registered from this folder`, {
      field: "adapterId",
      hint: `registered here: ${listAdapters(data)
        .map((adapter) => adapter.adapterId)
        .join(", ")}`,
    });
  return found;
}

/** Adds an adapter that is about to be registered. */
export function addAdapter(
  data: ContributorData,
  adapter: Omit<AdapterRecord, "registered" | "txHash">,
): void {
  run(
    data.database,
    `INSERT INTO adapter (adapter_id, chain_id, registry, contributor, name, uri, verifier, verifier_code_hash,
       manifest_hash, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    adapter.adapterId,
    adapter.chainId.toString(),
    adapter.registry,
    adapter.contributor,
    adapter.name,
    adapter.uri,
    adapter.verifier,
    adapter.verifierCodeHash,
    adapter.manifestHash,
    nowSeconds(),
  );
}

export function markRegistered(data: ContributorData, adapterId: Hex, txHash: Hex | null): void {
  run(
    data.database,
    "UPDATE adapter SET registered = 1, tx_hash = coalesce(?, tx_hash) WHERE adapter_id = ?",
    txHash,
    adapterId,
  );
}

/** Writes the public files of an adapter, durably. */
export function writePublicFiles(
  data: ContributorData,
  adapterId: Hex,
  files: { manifestBytes: Uint8Array; commitmentsFile: Uint8Array },
): void {
  const directory = data.adapterDirectory(adapterId);
  makePrivateDirectory(directory);
  writeFileAtomic(path.join(directory, "commitments.bin"), files.commitmentsFile);
  writeFileAtomic(path.join(directory, "manifest.json"), files.manifestBytes);
}

function readPublicFile(data: ContributorData, adapterId: Hex, name: string): Uint8Array {
  const file = path.join(data.adapterDirectory(adapterId), name);
  const bytes = readFileIfThere(file);
  if (bytes === undefined)
    throw new DeltapayError("adapter/missing-file", `${file} is not there`, {
      field: file,
      hint: "restore the data folder from a backup",
    });
  return bytes;
}

/** A stored adapter's manifest, its exact bytes. */
export function readManifestBytes(data: ContributorData, adapterId: Hex): Uint8Array {
  return readPublicFile(data, adapterId, "manifest.json");
}

/** A stored adapter's manifest. */
export function readManifest(data: ContributorData, adapterId: Hex): Manifest {
  return decodeManifest(readManifestBytes(data, adapterId));
}

/** A stored adapter's secret. @throws DeltapayError `vault/...`, `adapter/secret-malformed` */
export function readAdapterSecret(data: ContributorData, adapterId: Hex, manifest: Manifest): AdapterSecret {
  return decodeAdapterSecret(manifestLayout(manifest).modules, data.vault.read(adapterSecretName(adapterId)));
}

/**
 * Loads an adapter to serve and prove with.
 * @throws DeltapayError `adapter/unknown`, `adapter/missing-file`, `vault/...`
 */
export function loadServedAdapter(data: ContributorData, adapterId: Hex): ServedAdapter {
  const record = getAdapter(data, adapterId);
  const manifestBytes = readPublicFile(data, record.adapterId, "manifest.json");
  const manifest = decodeManifest(manifestBytes);
  const layout = manifestLayout(manifest);
  const secret = readAdapterSecret(data, record.adapterId, manifest);
  return {
    record,
    manifest,
    layout,
    manifestBytes,
    commitments: readPublicFile(data, record.adapterId, "commitments.bin"),
    weights: secret.modules,
    blinds: registrationBlinds({
      seed: secret.seed,
      vkHash: manifest.vkHash,
      adapterSalt: fromHex(manifest.adapterSalt, 32),
      modules: layout.modules,
    }),
    scales: concatBytes(secret.scaleSalt, ...secret.modules.map(({ b }) => encodeScales(b))),
  };
}
