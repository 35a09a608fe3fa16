/** Vectors of a registered adapter: blinds, commitments, proof of knowledge, commitments file, manifest, adapterId. */
import bytecode from "../../runner/chain/generated/bytecode.json" with { type: "json" };
import { concatBytes, type Hex, toHex } from "../../runner/protocol/bytes.ts";
import {
  Committer,
  commitBlinds,
  type KeyPoints,
  type ModuleBlinds,
  type ModuleCommitments,
} from "../../runner/protocol/commitment.ts";
import { encodeCommitmentsFile } from "../../runner/protocol/commitmentsFile.ts";
import {
  type Curve,
  encodePoint,
  encodePoints,
  multiExp,
  packScalars,
  pointAt,
} from "../../runner/protocol/curve.ts";
import { mod } from "../../runner/protocol/field.ts";
import { sha256, wide, xofAt } from "../../runner/protocol/hash.ts";
import {
  type KnowledgeContext,
  knowledgeChallenge,
  type ModuleKnowledge,
  type SideKnowledge,
} from "../../runner/protocol/knowledge.ts";
import {
  encodeManifest,
  encodeScales,
  type Manifest,
  manifestHash,
  scalesHash,
} from "../../runner/protocol/manifest.ts";
import { PROTOCOL_VERSION } from "../../runner/protocol/tags.ts";
import { adapterId } from "../../runner/protocol/typedData.ts";
import type { Book } from "./book.ts";
import {
  ADAPTER_SALT,
  CHAIN_ID,
  CONTRIBUTOR,
  KEY_SIZE,
  LAYOUT,
  MODULES,
  REGISTRATION_SEED,
  REGISTRY,
  SCALE_SALT,
  VERIFIER,
} from "./inputs.ts";
import type { VectorKey } from "./keyVectors.ts";

export interface VectorAdapter {
  blinds: ModuleBlinds[];
  /** Decoded points. */
  commitments: ModuleCommitments[];
  manifestHash: Hex;
  adapterId: Hex;
}

type Tau = Record<"A" | "B", bigint[]>;

function addBlinds(book: Book, vk: Hex): ModuleBlinds[] {
  return LAYOUT.modules.map((shape, m) => {
    const blinds = commitBlinds(REGISTRATION_SEED, vk, ADAPTER_SALT, m, shape);
    for (const [side, values] of [blinds.u, blinds.v].entries())
      book.add(
        `commit-blind/${m}/${"AB"[side]}`,
        { seed: REGISTRATION_SEED, vkHash: vk, adapterSalt: ADAPTER_SALT, side, m, count: values.length },
        values,
      );
    return blinds;
  });
}

async function addCommitments(
  book: Book,
  curve: Curve,
  key: KeyPoints,
  blinds: readonly ModuleBlinds[],
): Promise<{ decoded: ModuleCommitments[]; encoded: ModuleCommitments[] }> {
  const committer = await Committer.create(curve, key);
  const decoded: ModuleCommitments[] = [];
  const encoded: ModuleCommitments[] = [];
  for (const [m, layout] of LAYOUT.modules.entries()) {
    const { Aq, Bq } = MODULES[m]!;
    const points = await committer.commit(layout, { Aq, Bq }, blinds[m]!);
    const bytes = { CA: await encodePoints(curve, points.CA), CB: await encodePoints(curve, points.CB) };
    book.add(
      `commitment/${m}`,
      { key: "key/vk-hash", ...layout, Aq, Bq, u: blinds[m]!.u, v: blinds[m]!.v },
      bytes,
    );
    decoded.push(points);
    encoded.push(bytes);
  }
  return { decoded, encoded };
}

/** Fixed nonces: a real proof draws them anew every time. */
function fixedTau(): Tau[] {
  return LAYOUT.modules.map(({ r }, m) => {
    const draw = (side: string): bigint[] =>
      Array.from({ length: r + 1 }, (_, k) =>
        wide("vectors", new TextEncoder().encode(`tau ${m} ${side} ${k}`)),
      );
    return { A: draw("A"), B: draw("B") };
  });
}

async function nonceCommitments(curve: Curve, key: KeyPoints, tau: readonly Tau[]) {
  const sideOf = async (bases: Uint8Array, slot: number, scalars: bigint[]): Promise<{ T: Uint8Array }> => {
    const own = scalars.slice(1).map((_, k) => pointAt(bases, slot + k));
    return {
      T: encodePoint(curve, await multiExp(curve, concatBytes(...own, key.Z), packScalars(scalars, 32))),
    };
  };
  return Promise.all(
    LAYOUT.modules.map(async ({ slot }, m) => ({
      A: await sideOf(key.H, slot, tau[m]!.A),
      B: await sideOf(key.S, slot, tau[m]!.B),
    })),
  );
}

/** z_k = tau_k + sum_i e_i * (k-th opening of commitment i); the last one answers for the blinds. */
function responses(
  tau: readonly bigint[],
  e: readonly bigint[],
  opening: (k: number, i: number) => bigint,
): bigint[] {
  return tau.map((start, k) => mod(e.reduce((sum, weight, i) => sum + weight * opening(k, i), start)));
}

async function addKnowledge(
  book: Book,
  curve: Curve,
  key: KeyPoints,
  context: KnowledgeContext,
  encoded: readonly ModuleCommitments[],
  blinds: readonly ModuleBlinds[],
): Promise<ModuleKnowledge[]> {
  const tau = fixedTau();
  const nonces = await nonceCommitments(curve, key, tau);
  const stream = knowledgeChallenge(context, LAYOUT, encoded, nonces);
  const T = nonces.map(({ A, B }) => ({ A: A.T, B: B.T }));
  book.add("knowledge/nonce", { key: "key/vk-hash", tau }, T);
  book.add(
    "knowledge/challenge",
    { ...context, modules: LAYOUT.modules, commitments: "commitment/m", T },
    stream,
  );
  let at = 0;
  const take = (count: number): bigint[] => Array.from({ length: count }, () => xofAt(stream, at++));
  const knowledge = LAYOUT.modules.map(({ dIn, dOut, r }, m) => {
    const { Aq, Bq } = MODULES[m]!;
    const { u, v } = blinds[m]!;
    const z = (side: "A" | "B", width: number, opening: (k: number, i: number) => bigint): SideKnowledge => ({
      T: nonces[m]![side].T,
      z: responses(tau[m]![side], take(width), opening),
    });
    return {
      A: z("A", dIn, (k, i) => (k < r ? BigInt(Aq[k * dIn + i]!) : u[i]!)),
      B: z("B", dOut, (k, j) => (k < r ? BigInt(Bq[j * r + k]!) : v[j]!)),
    };
  });
  book.add(
    "knowledge/responses",
    { challenge: "knowledge/challenge", openings: "commitment/m", tau },
    knowledge.map(({ A, B }) => ({ A: A.z, B: B.z })),
  );
  return knowledge;
}

/** Where each part of the commitments file begins. */
function offsets(): { part: string; offset: number; bytes: number }[] {
  let at = 0;
  const parts: { part: string; offset: number; bytes: number }[] = [];
  const add = (part: string, bytes: number): void => {
    parts.push({ part, offset: at, bytes });
    at += bytes;
  };
  add("magic", 32);
  add("modules", 4);
  for (const [m, { dIn, dOut }] of LAYOUT.modules.entries()) {
    add(`CA ${m}`, 64 * dIn);
    add(`CB ${m}`, 64 * dOut);
  }
  for (const [m, { r }] of LAYOUT.modules.entries())
    for (const side of ["A", "B"]) {
      add(`T_${side} ${m}`, 64);
      add(`z_${side} ${m}`, 32 * (r + 1));
    }
  return parts;
}

function addManifest(book: Book, vk: Hex, file: Uint8Array): Hex {
  const scales = MODULES.map(({ b }, m) => {
    const hash = scalesHash(SCALE_SALT, m, b);
    book.add(`scales-hash/${m}`, { scaleSalt: SCALE_SALT, m, b }, hash);
    return toHex(hash);
  });
  const b = MODULES.map((module) => module.b);
  book.add("wire/scales", { scaleSalt: SCALE_SALT, b }, concatBytes(SCALE_SALT, ...b.map(encodeScales)));
  const manifest: Manifest = {
    protocol: PROTOCOL_VERSION,
    chainId: CHAIN_ID,
    registry: REGISTRY,
    contributor: CONTRIBUTOR,
    vkHash: vk,
    keySize: KEY_SIZE,
    groups: LAYOUT.groups,
    adapterSalt: toHex(ADAPTER_SALT),
    baseModel: {
      name: 'tiny "é" base/model \\ 1',
      sha256: toHex(sha256(new TextEncoder().encode("a model"))),
    },
    modules: MODULES.map(({ name, dIn, dOut, r, group }, m) => ({
      name,
      shape: [dIn, dOut, r],
      group,
      scalesHash: scales[m]!,
    })),
    commitments: { sha256: toHex(sha256(file)), bytes: file.length },
  };
  const bytes = encodeManifest(manifest);
  book.add("manifest/bytes", { manifest }, { text: new TextDecoder().decode(bytes), bytes });
  const hash = manifestHash(bytes);
  book.add("manifest/hash", { bytes: "manifest/bytes" }, hash);
  return hash;
}

function addAdapterId(book: Book, hash: Hex): Hex {
  const input = {
    chainId: BigInt(CHAIN_ID),
    registry: REGISTRY,
    contributor: CONTRIBUTOR,
    manifestHash: hash,
    verifier: VERIFIER,
    verifierCodeHash: bytecode.LoraVerifier14.runtimeCodeHash as Hex,
    groups: LAYOUT.groups,
    salt: toHex(ADAPTER_SALT),
  };
  const id = adapterId(input);
  book.add("adapter-id", input, id);
  return id;
}

/** Adds every vector of this file and returns what a session needs. */
export async function addAdapter(book: Book, curve: Curve, key: VectorKey): Promise<VectorAdapter> {
  const blinds = addBlinds(book, key.vkHash);
  const { decoded, encoded } = await addCommitments(book, curve, key.points, blinds);
  const context: KnowledgeContext = {
    chainId: BigInt(CHAIN_ID),
    registry: REGISTRY,
    contributor: CONTRIBUTOR,
    vkHash: key.vkHash,
    adapterSalt: ADAPTER_SALT,
  };
  const knowledge = await addKnowledge(book, curve, key.points, context, encoded, blinds);
  const file = encodeCommitmentsFile(encoded, knowledge);
  book.add(
    "commitments-file",
    { commitments: "commitment/m", knowledge: "knowledge/nonce, knowledge/responses" },
    { bytes: file, layout: offsets() },
  );
  const hash = addManifest(book, key.vkHash, file);
  return { blinds, commitments: decoded, manifestHash: hash, adapterId: addAdapterId(book, hash) };
}
