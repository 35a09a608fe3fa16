/** Commitments that hold more than weights on their own slots: what the proofs of knowledge are for. */
import { loraVerifierAbi } from "../../chain/generated/abi.ts";
import type { ServedAdapter } from "../../contributor/adapters.ts";
import { loadCommitKey } from "../../keys/load.ts";
import { fromHex, pointWords } from "../../protocol/bytes.ts";
import { decodeKeyPoints, type KeyPoints, type ModuleCommitments } from "../../protocol/commitment.ts";
import { decodeCommitmentsFile, encodeCommitmentsFile } from "../../protocol/commitmentsFile.ts";
import {
  type Curve,
  decodePoints,
  encodePoints,
  loadCurve,
  multiExp,
  packScalars,
  pointAt,
} from "../../protocol/curve.ts";
import { mod } from "../../protocol/field.ts";
import { addPass, initialState, type SessionState } from "../../protocol/fold.ts";
import { proveKnowledge } from "../../protocol/knowledge.ts";
import { answer } from "../../protocol/quantise.ts";
import { buyerStatements, columnSums, type GroupWitness, groupWitness } from "../../protocol/statement.ts";
import type { World } from "../world.ts";
import { type Attack, refused } from "./attack.ts";
import { honestAdapter, inspect, registerForgery, withCommitments } from "./forgery.ts";
import { proveGroup } from "./settling.ts";

/** One commitment of a module with `scalar * base` added. */
interface Hidden {
  side: "CA" | "CB";
  module: number;
  index: number;
  scalar: bigint;
  base: (key: KeyPoints) => Uint8Array;
}

interface Forged {
  adapter: ServedAdapter;
  curve: Curve;
  key: KeyPoints;
  commitments: ModuleCommitments[];
  file: Uint8Array;
}

const TOKENS = 2;

async function forge(world: World, { side, module, index, scalar, base }: Hidden): Promise<Forged> {
  const adapter = await honestAdapter(world);
  const { layout, manifest, weights, blinds } = adapter;
  const curve = await loadCurve();
  const key = await decodeKeyPoints(curve, await loadCommitKey(layout.keySize));
  const { encoded } = decodeCommitmentsFile(layout, adapter.commitments);
  const decode = (points: Uint8Array) => decodePoints(curve, points, side);
  const commitments: ModuleCommitments[] = [];
  for (const { CA, CB } of encoded) commitments.push({ CA: await decode(CA), CB: await decode(CB) });
  const target = commitments[module]![side];
  const extra = await multiExp(curve, base(key), packScalars([scalar], 32));
  target.set(curve.G1.toAffine(curve.G1.add(extra, pointAt(target, index))), 64 * index);
  const forged = encoded.slice();
  forged[module] = { ...encoded[module]!, [side]: await encodePoints(curve, target) };
  const { chainId, registry, contributor, vkHash, adapterSalt } = manifest;
  const salt = fromHex(adapterSalt, 32);
  const context = { chainId: BigInt(chainId), registry, contributor, vkHash, adapterSalt: salt };
  // the best that can be done: proofs of knowledge of all but what is hidden
  const knowledge = await proveKnowledge(curve, key, context, layout, forged, weights, blinds);
  return { adapter, curve, key, commitments, file: encodeCommitmentsFile(forged, knowledge) };
}

/** The state after one honest pass. */
function sessionOf({ adapter }: Forged): SessionState {
  const { layout, weights } = adapter;
  const X = layout.modules.map(({ dIn }, m) =>
    Int16Array.from({ length: TOKENS * dIn }, (_, i) => 1 + ((i * 7919 + m * 104_729) % 900)),
  );
  const Y = layout.modules.map(({ dIn, dOut, r }, m) =>
    answer(weights[m]!.Aq, weights[m]!.Bq, X[m]!, TOKENS, dIn, dOut, r),
  );
  const start = initialState(layout, new Uint8Array(32));
  return addPass(layout, start, {
    passSalt: crypto.getRandomValues(new Uint8Array(32)),
    tokens: TOKENS,
    X,
    Y,
  });
}

/** Proves the statement a buyer of the forged commitments would sign. @returns whether the verifier contract accepts */
async function verifies(
  world: World,
  forged: Forged,
  state: SessionState,
  witness: GroupWitness,
): Promise<boolean> {
  const { adapter, curve, key, commitments } = forged;
  const sums = await columnSums(curve, commitments);
  const [V] = await buyerStatements(curve, key, adapter.layout, commitments, sums, state);
  const { a, b, c } = await proveGroup(adapter, 0, witness, V!);
  return world.buyer.ctx.publicClient.readContract({
    address: adapter.record.verifier,
    abi: loraVerifierAbi,
    functionName: "verifyProof",
    args: [pointWords(V!), { a, b, c }],
  });
}

/** Shows the forged adapter to an honest buyer. */
async function offerForged(world: World, { adapter, file }: Forged): Promise<string> {
  const manifest = withCommitments(adapter.manifest, file);
  const { url } = await registerForgery(world, { manifest, commitments: file });
  const { message } = await refused("the forged adapter", "manifest/knowledge", () => inspect(world, url));
  return message;
}

function honestWitness({ adapter }: Forged, state: SessionState): GroupWitness {
  return groupWitness(adapter.layout, adapter.weights, adapter.blinds, state, 0);
}

function requireVerified(accepted: boolean): void {
  if (!accepted) throw new Error("the forgery does not verify: nothing was attacked");
}

export const hiddenDelta: Attack = {
  name: "hidden-delta",
  expected:
    "Delta * I hidden in a weight commitment, under which a wrong folded answer verifies: refused before `open`",
  async run(world) {
    const delta = 123_456_789n;
    const forged = await forge(world, {
      side: "CB",
      module: 0,
      index: 1,
      scalar: delta,
      base: (key) => key.yhat,
    });
    const state = sessionOf(forged);
    const witness = honestWitness(forged, state);
    state.yBar[0]![1]! -= delta;
    requireVerified(await verifies(world, forged, state, witness));
    const how = await offerForged(world, forged);
    return { how: `the verifier contract accepts an answer that is wrong by Delta, but ${how}`, gained: 0n };
  },
};

export const foreignSlots: Attack = {
  name: "foreign-slots",
  expected:
    "a commitment on another module's slots, so that one answers for the other's input: refused before `open`",
  async run(world) {
    const factor = 5n;
    // column 0 of module 1 also feeds slot 0, which is module 0's
    const base = (key: KeyPoints): Uint8Array => pointAt(key.H, 0);
    const forged = await forge(world, { side: "CA", module: 1, index: 0, scalar: factor, base });
    const { layout, weights } = forged.adapter;
    const { dOut, r } = layout.modules[0]!;
    const state = sessionOf(forged);
    const leaked = factor * state.xBar[1]![0]!;
    for (let j = 0; j < dOut; j++) state.yBar[0]![j]! += BigInt(weights[0]!.Bq[j * r]!) * leaked;
    const witness = honestWitness(forged, state);
    witness.h[0] = mod(witness.h[0]! + leaked);
    requireVerified(await verifies(world, forged, state, witness));
    const how = await offerForged(world, forged);
    return {
      how: `the verifier contract accepts an answer of one module for the input of another, but ${how}`,
      gained: 0n,
    };
  },
};
