/** What an adapter would be as a product: where it sits in the model, how well it quantises, what serving it takes. */

import { basename } from "node:path";
import { type ModuleMatch, matchModules, refuseSharedNodes } from "../model/match.ts";
import { compareModuleLists, targetedLayers } from "../model/moduleLists.ts";
import { hashOnnxModel, type OnnxModel, readOnnxModel } from "../model/onnxFile.ts";
import type { Hex } from "../protocol/bytes.ts";
import { commitmentsFileBytes } from "../protocol/commitmentsFile.ts";
import { ensure } from "../protocol/errors.ts";
import { assignGroups, type Grouping, keySizeFor, type ModulesPerProof } from "../protocol/groups.ts";
import { type AdapterLayout, layoutModules } from "../protocol/layout.ts";
import { encodeManifest } from "../protocol/manifest.ts";
import { quantiseAdapterModule } from "../protocol/quantise.ts";
import { PROTOCOL_VERSION } from "../protocol/tags.ts";
import { type AdapterModule, loadPeftAdapter, type PeftAdapter } from "./peft.ts";
import type { PeftConfig } from "./peftConfig.ts";

export interface InspectedModule {
  name: string;
  /** Matched node of the model. */
  node: string;
  shape: [dIn: number, dOut: number, r: number];
  scale: number;
  group: number;
  /** Difference of the weights as served from scale * B * A. */
  quantisation: {
    /** Largest difference of an entry. */
    maxAbsError: number;
    /** Frobenius norm of the difference over that of scale * B * A. */
    relativeError: number;
  };
}

export interface Inspection {
  adapter: { name: string } & Pick<PeftConfig, "r" | "alpha" | "useRslora" | "peftVersion" | "baseModel">;
  model: { name: string; path: string; sha256: string };
  modules: InspectedModule[];
  groups: number;
  /** L of the smallest key that holds the largest group. */
  keySize: number;
  /** Commitments of a registration: one for each column of A and row of B. */
  commitments: number;
  /** Size of the manifest and its binary file. */
  manifestBytes: number;
  leakage: {
    /** Tokens of chosen input from which a patient buyer recovers the first module (d_in / 2 of the narrowest). */
    dInHalf: number;
    /** Tokens from which the last one is recovered. */
    dInHalfLargest: number;
    /** Tokens that show B's column space of the first module. */
    rank: number;
  };
  estimatedRegistrationMs: number;
}

/**
 * Checks an adapter against a model and works out what registering and selling it means. Needs no chain.
 * @throws DeltapayError with every refusal of `loadPeftAdapter`, `matchModules`, `compareModuleLists`, `quantiseAdapterModule`, `assignGroups`,
 * `layoutModules`
 */
export async function inspectAdapter(options: {
  dir: string;
  modelPath: string;
  modulesPerProof: ModulesPerProof;
  /** Nodes chosen by the user, by module path. */
  nodes?: Readonly<Record<string, string>>;
}): Promise<Inspection> {
  const adapter = await loadPeftAdapter(options.dir);
  refuseUnknownModules(adapter, Object.keys(options.nodes ?? {}));
  const model = await readOnnxModel(options.modelPath);
  const matches = matchModules(
    model,
    adapter.modules.map(({ path, dIn, dOut }) => ({ path, dIn, dOut, node: options.nodes?.[path] })),
  );
  refuseSharedNodes(matches);
  compareWithConfig(adapter, model, options.nodes);
  const grouping = assignGroups(
    adapter.modules.map(({ r }) => r),
    options.modulesPerProof,
  );
  return {
    adapter: summarise(adapter),
    model: { name: basename(options.modelPath), path: options.modelPath, sha256: await hashOnnxModel(model) },
    modules: adapter.modules.map((module, m) => inspectModule(module, matches[m]!, grouping.group[m]!)),
    ...registration(adapter.modules, grouping),
    leakage: leakage(adapter.modules),
  };
}

/** A node chosen for a module that is not there would be chosen for nothing. */
function refuseUnknownModules({ modules }: PeftAdapter, chosen: readonly string[]): void {
  for (const module of chosen)
    ensure(
      modules.some(({ path }) => path === module),
      "adapter/unknown-module",
      `the adapter has no module '${module}'`,
      { field: "node", hint: `its modules: ${modules.map(({ path }) => path).join(", ")}` },
    );
}

/** Where the user chose nodes, the model's own names say too little to compare with. */
function compareWithConfig(
  { config, modules }: PeftAdapter,
  model: OnnxModel,
  nodes: Readonly<Record<string, string>> = {},
): void {
  const { targetModules, layersToTransform } = config;
  if (targetModules === null || Object.keys(nodes).length > 0) return;
  compareModuleLists(
    targetedLayers(model, { targetModules, layersToTransform }),
    modules.map(({ path }) => path),
  );
}

function summarise({ name, config }: PeftAdapter): Inspection["adapter"] {
  const { r, alpha, useRslora, peftVersion, baseModel } = config;
  return { name, r, alpha, useRslora, peftVersion, baseModel };
}

function inspectModule(module: AdapterModule, match: ModuleMatch, group: number): InspectedModule {
  const { path, dIn, dOut, r, scale } = module;
  return {
    name: path,
    node: match.node,
    shape: [dIn, dOut, r],
    scale,
    group,
    quantisation: quantisationError(module),
  };
}

/**
 * Compares diag(b) * B_q * A_q, the map that is served, with scale * B * A, entry by entry.
 * @throws DeltapayError `quantise/...`
 */
export function quantisationError(module: AdapterModule): InspectedModule["quantisation"] {
  const { A, B, r, dIn, dOut, scale } = module;
  const { Aq, Bq, b } = quantiseAdapterModule(module);
  const row = new Float64Array(dIn);
  let largest = 0;
  let difference = 0;
  let norm = 0;
  for (let j = 0; j < dOut; j++) {
    row.fill(0);
    for (let k = 0; k < r; k++) addRow(row, A, k * dIn, scale * B[j * r + k]!);
    for (const value of row) norm += value * value;
    for (let k = 0; k < r; k++) addRow(row, Aq, k * dIn, -b[j]! * Bq[j * r + k]!);
    for (const value of row) {
      difference += value * value;
      largest = Math.max(largest, Math.abs(value));
    }
  }
  return { maxAbsError: largest, relativeError: Math.sqrt(difference / norm) };
}

function addRow(row: Float64Array, matrix: Float64Array | Int8Array, from: number, factor: number): void {
  for (let i = 0; i < row.length; i++) row[i]! += factor * matrix[from + i]!;
}

// A commitment takes one table addition a slot and 32 for its blind; 1.5 microseconds each on one core, hashing and
// proofs included (`npm run bench`: 24 modules 768 -> 2304 of rank 8).
const ADDITION_MS = 0.0015;
const BLIND_ADDITIONS = 32;

function registration(
  modules: AdapterModule[],
  { group, slotsNeeded }: Grouping,
): Pick<Inspection, "groups" | "keySize" | "commitments" | "manifestBytes" | "estimatedRegistrationMs"> {
  const shapes = modules.map(({ path, dIn, dOut, r }, m) => ({ name: path, dIn, dOut, r, group: group[m]! }));
  const layout = layoutModules(shapes, keySizeFor(slotsNeeded));
  const sum = (of: (module: AdapterModule) => number): number =>
    modules.reduce((total, module) => total + of(module), 0);
  return {
    groups: layout.groups,
    keySize: layout.keySize,
    commitments: sum(({ dIn, dOut }) => dIn + dOut),
    manifestBytes: manifestBytes(layout),
    estimatedRegistrationMs: Math.ceil(
      sum(({ dIn, dOut, r }) => (dIn + dOut) * (r + BLIND_ADDITIONS)) * ADDITION_MS,
    ),
  };
}

/** Size of a manifest with hashes and addresses of zeros, to a few digits of the chain id, and of its binary file. */
function manifestBytes(layout: AdapterLayout): number {
  const zeros = (bytes: number): Hex => `0x${"00".repeat(bytes)}`;
  const file = commitmentsFileBytes(layout);
  const manifest = encodeManifest({
    protocol: PROTOCOL_VERSION,
    chainId: 31337,
    registry: zeros(20),
    contributor: zeros(20),
    vkHash: zeros(32),
    keySize: layout.keySize,
    groups: layout.groups,
    adapterSalt: zeros(32),
    baseModel: { name: "model.onnx", sha256: zeros(32) },
    modules: layout.modules.map(({ name, dIn, dOut, r, group }) => ({
      name,
      shape: [dIn, dOut, r],
      group,
      scalesHash: zeros(32),
    })),
    commitments: { sha256: zeros(32), bytes: file },
  });
  return manifest.length + file;
}

function leakage(modules: AdapterModule[]): Inspection["leakage"] {
  const halves = modules.map(({ dIn }) => dIn / 2);
  return {
    dInHalf: Math.min(...halves),
    dInHalfLargest: Math.max(...halves),
    rank: Math.min(...modules.map(({ r }) => r)),
  };
}
