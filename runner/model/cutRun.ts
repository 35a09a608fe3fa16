/** One pass through the segments of a cut model. */
import { DeltapayError, ensure } from "../protocol/errors.ts";
import type { Segment } from "./cut.ts";
import type { ModuleMatch } from "./match.ts";
import type { SegmentNames } from "./segmentModel.ts";
import { type InferenceSession, runSession, Tensor, type TensorInfo, type Tensors } from "./session.ts";

/** Activations asked about at one cut. */
export interface DeltaRequest {
  /** tokens x dIn, row-major; the callee may keep it. */
  x: Float32Array;
  tokens: number;
  dIn: number;
  /** Keys of the targets that read x. */
  targets: string[];
}

/**
 * Answers every request of one cut: per key, Delta as tokens x dOut row-major.
 * Called once a cut with all of its requests, so that they can share a round trip.
 */
export type OnTargets = (requests: DeltaRequest[]) => Promise<Map<string, Float32Array>>;

/** A node to add to, with the keys of its deltas. */
export interface TargetNode extends ModuleMatch {
  keys: string[];
  /** Tensor that gets the delta. */
  y: string;
}

/** A segment ready to run. */
export interface Step {
  segment: Segment;
  asks: { x: string; targets: TargetNode[] }[];
  /** Undefined for a segment without nodes: a target that reads a graph input. */
  session: InferenceSession | undefined;
}

/** A cut model, loaded. */
export interface LoadedCut {
  steps: readonly Step[];
  names: SegmentNames;
  outputs: readonly TensorInfo[];
}

/**
 * Runs the segments in order, with one call of `onTargets` before each that waits for deltas.
 * @throws DeltapayError `model/missing-input`, `model/run-failed`, `model/other-tokens`, `model/bad-delta`
 */
export async function runCut(
  { steps, names, outputs }: LoadedCut,
  feeds: Tensors,
  onTargets: OnTargets,
): Promise<Tensors> {
  const made = new Map(Object.entries(feeds));
  let tokens: number | undefined;
  for (const { segment, asks, session } of steps) {
    const inputs: Tensors = {};
    for (const name of segment.inputs) inputs[names.border(name)] = fedTensor(made, name);
    if (asks.length > 0) {
      const requests = asks.map(({ x, targets }) => toRequest(fedTensor(made, x), targets));
      tokens = sameTokens(tokens, requests);
      const answers = await onTargets(requests);
      for (const { x, targets } of asks)
        for (const target of targets)
          inputs[names.delta(target.y)] = sumDeltas(target, fedTensor(made, x).dims, answers);
    }
    if (session === undefined) continue;
    const results = await runSession(session, inputs);
    for (const name of segment.outputs) made.set(name, results[names.border(name)]!);
  }
  return Object.fromEntries(outputs.map(({ name }) => [name, made.get(name)!]));
}

function fedTensor(made: Map<string, Tensor>, name: string): Tensor {
  const tensor = made.get(name);
  ensure(tensor !== undefined, "model/missing-input", `the model needs the input '${name}'`, {
    field: name,
  });
  return tensor;
}

/** Copies x: the runtime's memory is reused, the caller may keep what it is given. */
function toRequest(x: Tensor, targets: TargetNode[]): DeltaRequest {
  const dIn = x.dims.at(-1)!;
  const values = new Float32Array(x.data as Float32Array);
  return { x: values, tokens: values.length / dIn, dIn, targets: targets.flatMap(({ keys }) => keys) };
}

/** Every module of a pass sees the same tokens: a receipt counts them once. */
function sameTokens(expected: number | undefined, requests: DeltaRequest[]): number {
  const tokens = expected ?? requests[0]!.tokens;
  const other = requests.find((request) => request.tokens !== tokens);
  if (other !== undefined)
    throw new DeltapayError(
      "model/other-tokens",
      `'${other.targets[0]}' sees ${other.tokens} tokens, others ${tokens}`,
      {
        field: other.targets[0]!,
        hint: "modules that see other tokens (experts, pooled layers) cannot be served",
      },
    );
  return tokens;
}

/** Sum of the deltas of all keys on one node, shaped as the node's output. */
function sumDeltas(target: TargetNode, xDims: readonly number[], answers: Map<string, Float32Array>): Tensor {
  const dims = [...xDims.slice(0, -1), target.dOut];
  const size = dims.reduce((product, dimension) => product * dimension, 1);
  const parts = target.keys.map((key) => {
    const delta = answers.get(key);
    ensure(
      delta?.length === size,
      "model/bad-delta",
      `delta for '${key}' has ${delta?.length ?? "no"} values, expected ${size}`,
      {
        field: key,
      },
    );
    return delta;
  });
  const sum = parts.length === 1 ? parts[0]! : new Float32Array(size);
  if (parts.length > 1) for (const part of parts) for (let i = 0; i < size; i++) sum[i]! += part[i]!;
  return new Tensor("float32", sum, dims);
}
