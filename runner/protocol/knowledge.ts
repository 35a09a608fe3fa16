/**
 * Proof of knowledge of the commitments' openings, over each module's own slots only (protocol 4).
 *
 * A batched Schnorr proof: T = sum tau_k H_{o+k} + tau Z, z = tau + sum_i e_i * opening_i. Without it a part on I inside
 * a commitment shifts the answer, and a part on another module's slots makes one module answer for another's input.
 */
import { concatBytes, fromHex, type Hex, takeFrom, u32, uintLE } from "./bytes.ts";
import type { KeyPoints, ModuleBlinds, ModuleCommitments, ModuleWeights } from "./commitment.ts";
import {
  type Curve,
  encodePoint,
  multiExp,
  POINT_BYTES,
  packScalars,
  pointAt,
  randomScalar,
} from "./curve.ts";
import { DeltapayError } from "./errors.ts";
import { mod } from "./field.ts";
import { sha, xof, xofAt } from "./hash.ts";
import type { AdapterLayout, ModuleLayout } from "./layout.ts";
import { TAGS } from "./tags.ts";

/** Everything besides the commitments that the challenge binds. */
export interface KnowledgeContext {
  chainId: bigint;
  registry: Hex;
  contributor: Hex;
  vkHash: Hex;
  adapterSalt: Uint8Array;
}

/** One side (A or B) of one module: T as 64 bytes big-endian; z: r slot scalars, then the one on Z. */
export interface SideKnowledge {
  T: Uint8Array;
  z: bigint[];
}

export interface ModuleKnowledge {
  A: SideKnowledge;
  B: SideKnowledge;
}

/**
 * e = XOF(sha("knowledge", chainId u256 LE, registry, vkHash, contributor, adapterSalt, M u32,
 * then a module: dIn, dOut, r, group, slot u32; then all commitments (a module: CA, CB) and all T (T_A, T_B)), n).
 */
export function knowledgeChallenge(
  context: KnowledgeContext,
  layout: AdapterLayout,
  commitments: readonly { CA: Uint8Array; CB: Uint8Array }[],
  knowledge: readonly { A: { T: Uint8Array }; B: { T: Uint8Array } }[],
): Uint8Array {
  const seed = sha(
    TAGS.knowledge,
    uintLE(context.chainId, 32),
    fromHex(context.registry, 20),
    fromHex(context.vkHash, 32),
    fromHex(context.contributor, 20),
    context.adapterSalt,
    u32(layout.modules.length),
    ...layout.modules.map(({ dIn, dOut, r, group, slot }) =>
      concatBytes(u32(dIn), u32(dOut), u32(r), u32(group), u32(slot)),
    ),
    ...commitments.flatMap(({ CA, CB }) => [CA, CB]),
    ...knowledge.flatMap(({ A, B }) => [A.T, B.T]),
  );
  return xof(
    seed,
    layout.modules.reduce((sum, { dIn, dOut }) => sum + dIn + dOut, 0),
  );
}

/** The part of the challenge stream that belongs to each module's sides. */
function challengeParts(layout: AdapterLayout, stream: Uint8Array): { A: Uint8Array; B: Uint8Array }[] {
  const take = takeFrom(stream);
  return layout.modules.map(({ dIn, dOut }) => ({ A: take(16 * dIn), B: take(16 * dOut) }));
}

const slotsOf = (points: Uint8Array, { slot, r }: ModuleLayout): Uint8Array =>
  points.subarray(slot * POINT_BYTES, (slot + r) * POINT_BYTES);

function combine(curve: Curve, bases: Uint8Array, Z: Uint8Array, z: readonly bigint[]): Promise<Uint8Array> {
  return multiExp(curve, concatBytes(bases, Z), packScalars(z, 32));
}

/**
 * Proves knowledge of every module's openings. tau is fresh at every call: reuse would give the weights away.
 * @param encoded commitments as they stand in the manifest (big-endian)
 */
export async function proveKnowledge(
  curve: Curve,
  key: KeyPoints,
  context: KnowledgeContext,
  layout: AdapterLayout,
  encoded: readonly ModuleCommitments[],
  weights: readonly ModuleWeights[],
  blinds: readonly ModuleBlinds[],
): Promise<ModuleKnowledge[]> {
  const fresh = (r: number): bigint[] => Array.from({ length: r + 1 }, randomScalar);
  const nonces = await Promise.all(
    layout.modules.map(async (module) => {
      const [tauA, tauB] = [fresh(module.r), fresh(module.r)];
      return {
        A: { T: encodePoint(curve, await combine(curve, slotsOf(key.H, module), key.Z, tauA)), tau: tauA },
        B: { T: encodePoint(curve, await combine(curve, slotsOf(key.S, module), key.Z, tauB)), tau: tauB },
      };
    }),
  );
  const parts = challengeParts(layout, knowledgeChallenge(context, layout, encoded, nonces));
  return layout.modules.map(({ r, dIn }, m) => {
    const { Aq, Bq } = weights[m]!;
    const { u, v } = blinds[m]!;
    return {
      A: { T: nonces[m]!.A.T, z: respond(nonces[m]!.A.tau, parts[m]!.A, (k, i) => Aq[k * dIn + i]!, u) },
      B: { T: nonces[m]!.B.T, z: respond(nonces[m]!.B.tau, parts[m]!.B, (k, j) => Bq[j * r + k]!, v) },
    };
  });
}

function respond(
  tau: readonly bigint[],
  challenge: Uint8Array,
  weight: (k: number, i: number) => number,
  blinds: readonly bigint[],
): bigint[] {
  const e = blinds.map((_, i) => xofAt(challenge, i));
  return tau.map((start, k) => {
    let sum = start;
    if (k < tau.length - 1) for (let i = 0; i < e.length; i++) sum += e[i]! * BigInt(weight(k, i));
    else for (let i = 0; i < e.length; i++) sum += e[i]! * blinds[i]!;
    return mod(sum);
  });
}

/**
 * Checks every module's proof: sum z_k H_{o+k} + z Z = T + sum e_i C_i over its own slots.
 * @param encoded commitments big-endian, as hashed; `points` the same, decoded
 * @param decodedT T_A, T_B of every module, decoded, packed in that order
 * @throws DeltapayError `manifest/knowledge` naming the module and side
 */
export async function checkKnowledge(
  curve: Curve,
  key: KeyPoints,
  context: KnowledgeContext,
  layout: AdapterLayout,
  encoded: readonly ModuleCommitments[],
  points: readonly ModuleCommitments[],
  knowledge: readonly ModuleKnowledge[],
  decodedT: Uint8Array,
  onModule?: (done: number, total: number) => void,
): Promise<void> {
  const parts = challengeParts(layout, knowledgeChallenge(context, layout, encoded, knowledge));
  let done = 0;
  for (const [m, module] of layout.modules.entries()) {
    for (const side of ["A", "B"] as const) {
      const C = side === "A" ? points[m]!.CA : points[m]!.CB;
      const [left, right] = await Promise.all([
        combine(curve, slotsOf(side === "A" ? key.H : key.S, module), key.Z, knowledge[m]![side].z),
        multiExp(curve, C, parts[m]![side]),
      ]);
      const T = pointAt(decodedT, 2 * m + (side === "A" ? 0 : 1));
      if (!curve.G1.eq(left, curve.G1.add(right, T)))
        throw new DeltapayError(
          "manifest/knowledge",
          `the proof of knowledge of '${module.name}' (${side}) is wrong: its commitments may not open over its own slots`,
          { field: `${module.name}.${side}`, hint: "do not open an agreement with this adapter" },
        );
    }
    onModule?.(++done, layout.modules.length);
  }
}
