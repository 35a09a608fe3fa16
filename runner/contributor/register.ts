/**
 * Registers a PEFT adapter: quantise, commit, keep the secrets, then send the transaction (protocol 4).
 *
 * Everything is durable under the adapter's id, which is known beforehand, before the transaction is sent. A run that
 * was interrupted is taken up again by the next one with the same weights.
 */
import type { PeftAdapter } from "../adapter/peft.ts";
import { loadCommitKey } from "../keys/load.ts";
import { pinnedTrust } from "../keys/pinned.ts";
import { type Hex, toHex } from "../protocol/bytes.ts";
import { decodeKeyPoints } from "../protocol/commitment.ts";
import { loadCurve } from "../protocol/curve.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { assignGroups, keySizeFor, type ModulesPerProof } from "../protocol/groups.ts";
import { type CommitKey, vkHash } from "../protocol/key.ts";
import { refuseDevKey } from "../protocol/keyTrust.ts";
import type { Manifest } from "../protocol/manifest.ts";
import { quantiseAdapterModule } from "../protocol/quantise.ts";
import { type RegistrationModule, registerAdapter } from "../protocol/registration.ts";
import { type Address, adapterId as idOfAdapter } from "../protocol/typedData.ts";
import { adapterSecretName, encodeAdapterSecret } from "./adapterSecret.ts";
import {
  type AdapterRecord,
  addAdapter,
  getAdapter,
  listAdapters,
  markRegistered,
  readAdapterSecret,
  readManifest,
  writePublicFiles,
} from "./adapters.ts";
import type { ContributorChain, VerifierView } from "./chainView.ts";
import type { ContributorData } from "./dataFolder.ts";

/** What a user must know when a seed is made. */
export const SEED_WARNING =
  "The registration seed lies encrypted in the vault of the data folder and nowhere else. If it is lost, tokens " +
  "already served under this adapter cannot be proven or paid for, and the adapter must be registered anew: make a backup.";

export interface RegisterOptions {
  data: ContributorData;
  chain: ContributorChain;
  /** Account that registers, offers and is paid. */
  contributor: Address;
  adapter: PeftAdapter;
  /** Default 1: a proof for every module. */
  modulesPerProof?: ModulesPerProof;
  /** Name and hash of the base model, if it is to be named. */
  baseModel?: { name: string; sha256: Hex } | null;
  /** Where the manifest will be served. */
  uri?: string;
  /** Default: the key this version pins, built when missing. */
  loadKey?: (size: number) => Promise<CommitKey>;
  /** Registers under a key whose secrets are public where money has value. */
  acceptForgeableDevKey?: boolean;
  onProgress?: (done: number, total: number) => void;
}

export interface RegisteredAdapter {
  adapterId: Hex;
  manifest: Manifest;
  /** Null when an earlier run had sent it. */
  txHash: Hex | null;
  /** Whether an earlier run of the same weights was taken up, finished or not. */
  resumed: boolean;
  seedWarning: string;
}

/**
 * @throws DeltapayError `key/dev-key`, `register/no-verifier`, `register/other-key`, `groups/...`, `quantise/...`, and what the chain says
 */
export async function registerPeftAdapter(options: RegisterOptions): Promise<RegisteredAdapter> {
  const { data, chain, contributor } = options;
  const modules = quantisedModules(options.adapter, options.modulesPerProof ?? 1);
  const earlier = findEarlier(data, chain, contributor, modules, options.baseModel ?? null);
  const record = earlier ?? (await prepare(options, modules));
  const txHash = await send(data, chain, record);
  return {
    adapterId: record.adapterId,
    manifest: readManifest(data, record.adapterId),
    txHash,
    resumed: earlier !== undefined,
    seedWarning: SEED_WARNING,
  };
}

/** Modules in the adapter's order, quantised and grouped. */
function quantisedModules(adapter: PeftAdapter, modulesPerProof: ModulesPerProof): GroupedModules {
  const grouping = assignGroups(
    adapter.modules.map(({ r }) => r),
    modulesPerProof,
  );
  return {
    keySize: keySizeFor(grouping.slotsNeeded),
    groups: grouping.groups,
    modules: adapter.modules.map((module, m) => ({
      name: module.path,
      dIn: module.dIn,
      dOut: module.dOut,
      r: module.r,
      group: grouping.group[m]!,
      ...quantiseAdapterModule(module),
    })),
  };
}

interface GroupedModules {
  keySize: number;
  groups: number;
  modules: RegistrationModule[];
}

/** An adapter of this folder with the same weights, groups and base model, on the same chain, of the same account. */
function findEarlier(
  data: ContributorData,
  chain: ContributorChain,
  contributor: Address,
  { keySize, modules }: GroupedModules,
  baseModel: { name: string; sha256: Hex } | null,
): AdapterRecord | undefined {
  const verifier = chain.verifier(keySize);
  return listAdapters(data).find((record) => {
    if (
      record.verifier !== verifier?.address.toLowerCase() ||
      record.verifierCodeHash !== verifier.codeHash ||
      record.chainId !== chain.chainId ||
      record.registry !== chain.registry.toLowerCase() ||
      record.contributor !== contributor.toLowerCase()
    )
      return false;
    const manifest = readManifest(data, record.adapterId);
    if (manifest.keySize !== keySize || JSON.stringify(manifest.baseModel) !== JSON.stringify(baseModel))
      return false;
    const shapes = JSON.stringify(
      modules.map(({ name, dIn, dOut, r, group }) => [name, [dIn, dOut, r], group]),
    );
    if (shapes !== JSON.stringify(manifest.modules.map(({ name, shape, group }) => [name, shape, group])))
      return false;
    const stored = readAdapterSecret(data, record.adapterId, manifest).modules;
    return modules.every(({ Aq, Bq, b }, m) => {
      const other = stored[m]!;
      return sameNumbers(Aq, other.Aq) && sameNumbers(Bq, other.Bq) && sameNumbers(b, other.b);
    });
  });
}

function sameNumbers(left: Int8Array | Float64Array, right: Int8Array | Float64Array): boolean {
  return left.length === right.length && left.every((value, i) => value === right[i]);
}

/** Commits and stores everything under the id the adapter will have. */
async function prepare(options: RegisterOptions, grouped: GroupedModules): Promise<AdapterRecord> {
  const { data, chain, contributor, adapter } = options;
  const verifier = requireVerifier(chain, grouped.keySize);
  refuseDevKey(pinnedTrust(verifier.vkHash), chain.chainId, options.acceptForgeableDevKey);
  const key = await (options.loadKey ?? loadCommitKey)(grouped.keySize);
  if (vkHash(key) !== verifier.vkHash)
    throw new DeltapayError(
      "register/other-key",
      `the verifier of size ${grouped.keySize} on this chain belongs to another key`,
      { field: "vkHash", hint: "deploy the contracts of this version" },
    );
  const curve = await loadCurve();
  const secrets = { seed: random32(), adapterSalt: random32(), scaleSalt: random32() };
  const registration = await registerAdapter(
    curve,
    await decodeKeyPoints(curve, key),
    {
      chainId: Number(chain.chainId),
      registry: chain.registry,
      contributor,
      vkHash: verifier.vkHash,
      keySize: grouped.keySize,
      baseModel: options.baseModel ?? null,
      modules: grouped.modules,
      ...secrets,
    },
    options.onProgress,
  );
  const adapterId = idOfAdapter({
    chainId: chain.chainId,
    registry: chain.registry,
    contributor,
    manifestHash: registration.manifestHash,
    verifier: verifier.address,
    verifierCodeHash: verifier.codeHash,
    groups: grouped.groups,
    salt: toHex(secrets.adapterSalt),
  });
  // The row comes last: what it names is complete.
  data.vault.write(
    adapterSecretName(adapterId),
    encodeAdapterSecret({ ...secrets, modules: grouped.modules }),
  );
  writePublicFiles(data, adapterId, registration);
  addAdapter(data, {
    adapterId,
    chainId: chain.chainId,
    registry: registration.manifest.registry,
    contributor: registration.manifest.contributor,
    name: adapter.name,
    uri: options.uri ?? "",
    verifier: verifier.address.toLowerCase() as Address,
    verifierCodeHash: verifier.codeHash,
    manifestHash: registration.manifestHash,
  });
  return getAdapter(data, adapterId);
}

function requireVerifier(chain: ContributorChain, keySize: number): VerifierView {
  const verifier = chain.verifier(keySize);
  if (verifier === undefined)
    throw new DeltapayError("register/no-verifier", `no verifier for ${keySize} slots is deployed here`, {
      field: "verifiers",
      hint: "run `deltapay deploy` for this chain, or put fewer modules into one proof",
    });
  return verifier;
}

function random32(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32));
}

/** Sends the transaction unless the registry has the adapter already. */
async function send(
  data: ContributorData,
  chain: ContributorChain,
  record: AdapterRecord,
): Promise<Hex | null> {
  if ((await chain.readAdapter(record.adapterId, "newest")) !== undefined) {
    markRegistered(data, record.adapterId, null);
    return record.txHash;
  }
  const { adapterSalt, groups } = readManifest(data, record.adapterId);
  const { txHash } = await chain.registerAdapter({
    manifestHash: record.manifestHash,
    uri: record.uri,
    verifier: record.verifier,
    groups,
    salt: adapterSalt,
  });
  markRegistered(data, record.adapterId, txHash);
  return txHash;
}
