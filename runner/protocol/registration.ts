/** Registering an adapter: commitments, proofs of knowledge, manifest (protocol 4). Pure but for the random source. */
import { fromHex, type Hex, toHex } from "./bytes.ts";
import {
  Committer,
  commitBlinds,
  type KeyPoints,
  type ModuleBlinds,
  type ModuleWeights,
} from "./commitment.ts";
import { encodeCommitmentsFile } from "./commitmentsFile.ts";
import { type Curve, encodePoints } from "./curve.ts";
import { sha256 } from "./hash.ts";
import { proveKnowledge } from "./knowledge.ts";
import { layoutModules } from "./layout.ts";
import { encodeManifest, type Manifest, manifestHash, scalesHash } from "./manifest.ts";
import { PROTOCOL_VERSION } from "./tags.ts";

/** One module to register. */
export interface RegistrationModule extends ModuleWeights {
  name: string;
  dIn: number;
  dOut: number;
  r: number;
  group: number;
  /** Output scales, length dOut. */
  b: Float64Array;
}

export interface RegistrationInput {
  chainId: number;
  registry: Hex;
  contributor: Hex;
  vkHash: Hex;
  keySize: number;
  baseModel: { name: string; sha256: Hex } | null;
  modules: RegistrationModule[];
  /** 32 secret bytes, fresh for every registration: one seed for two versions shows which columns changed. */
  seed: Uint8Array;
  /** 32 public bytes; also the registry's salt. */
  adapterSalt: Uint8Array;
  /** 32 secret bytes, given to the buyer after `open`. */
  scaleSalt: Uint8Array;
}

export interface Registration {
  manifest: Manifest;
  manifestBytes: Uint8Array;
  manifestHash: Hex;
  commitmentsFile: Uint8Array;
}

/** Blinds of every module, as used at registration and again for each proof. */
export function registrationBlinds(input: {
  seed: Uint8Array;
  vkHash: Hex;
  adapterSalt: Uint8Array;
  modules: readonly { dIn: number; dOut: number }[];
}): ModuleBlinds[] {
  return input.modules.map((shape, m) => commitBlinds(input.seed, input.vkHash, input.adapterSalt, m, shape));
}

/** Commits, proves and writes the manifest. `onModule` reports modules committed. */
export async function registerAdapter(
  curve: Curve,
  key: KeyPoints,
  input: RegistrationInput,
  onModule?: (done: number, total: number) => void,
): Promise<Registration> {
  const layout = layoutModules(input.modules, input.keySize);
  const blinds = registrationBlinds(input);
  const committer = await Committer.create(curve, key);
  const encoded = [];
  for (const [m, module] of layout.modules.entries()) {
    const { CA, CB } = await committer.commit(module, input.modules[m]!, blinds[m]!);
    encoded.push({ CA: await encodePoints(curve, CA), CB: await encodePoints(curve, CB) });
    onModule?.(m + 1, layout.modules.length);
  }
  const context = {
    chainId: BigInt(input.chainId),
    registry: input.registry,
    contributor: input.contributor,
    vkHash: input.vkHash,
    adapterSalt: input.adapterSalt,
  };
  const knowledge = await proveKnowledge(curve, key, context, layout, encoded, input.modules, blinds);
  const commitmentsFile = encodeCommitmentsFile(encoded, knowledge);
  const lower = (address: Hex): Hex => toHex(fromHex(address, 20));
  const manifest: Manifest = {
    protocol: PROTOCOL_VERSION,
    chainId: input.chainId,
    registry: lower(input.registry),
    contributor: lower(input.contributor),
    vkHash: input.vkHash,
    keySize: input.keySize,
    groups: layout.groups,
    adapterSalt: toHex(input.adapterSalt),
    baseModel: input.baseModel,
    modules: input.modules.map(({ name, dIn, dOut, r, group, b }, m) => ({
      name,
      shape: [dIn, dOut, r],
      group,
      scalesHash: toHex(scalesHash(input.scaleSalt, m, b)),
    })),
    commitments: { sha256: toHex(sha256(commitmentsFile)), bytes: commitmentsFile.length },
  };
  const manifestBytes = encodeManifest(manifest);
  return { manifest, manifestBytes, manifestHash: manifestHash(manifestBytes), commitmentsFile };
}
