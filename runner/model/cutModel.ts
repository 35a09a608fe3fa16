/** Runs a base model cut at the targeted layers: at each cut the caller turns activations into deltas. */
import { TensorProto_DataType } from "onnx-buf";
import { DeltapayError, require as ensure } from "../protocol/errors.ts";
import { planCut, type Segment } from "./cut.ts";
import { type GraphIndex, indexGraph } from "./graph.ts";
import { type ModuleMatch, matchModules } from "./match.ts";
import { type OnnxModel, readOnnxModel } from "./onnxFile.ts";
import { buildSegmentModel, type SegmentNames, segmentNames } from "./segmentModel.ts";
import {
  createSession,
  describe,
  type InferenceSession,
  type Runnable,
  runSession,
  Tensor,
  type TensorInfo,
  type Tensors,
} from "./session.ts";

export interface Target {
  /** The caller's name for (adapter, module); several keys may fall on one node, their deltas are added. */
  key: string;
  /** PEFT module path. */
  modulePath: string;
  /** Node chosen by the user; overrides the search. */
  node?: string | undefined;
  /** The module's shape, checked against the node's weight when given. */
  dIn?: number | undefined;
  dOut?: number | undefined;
}

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

export interface CutModel {
  /** float16 inputs and outputs are float32 here. */
  inputs: readonly TensorInfo[];
  outputs: readonly TensorInfo[];
  /** Matched node of each target, by key. */
  matches: ReadonlyMap<string, ModuleMatch>;
  /** Round trips a pass takes. */
  roundTrips: number;
  /**
   * One pass: visits every target once.
   * @throws DeltapayError `model/run-failed`, `model/other-tokens`, `model/bad-delta`
   */
  run: (feeds: Tensors, onTargets: OnTargets) => Promise<Tensors>;
  /** The model with its deltas, as if it were a plain one. */
  with: (onTargets: OnTargets) => Runnable;
  close: () => Promise<void>;
}

/**
 * Loads a model cut at `targets`.
 * @throws DeltapayError as `readOnnxModel` and `matchModules`; `model/duplicate-key`, `model/cannot-load`
 */
export async function loadCutModel(options: {
  modelPath: string;
  targets: readonly Target[];
}): Promise<CutModel> {
  const model = await readOnnxModel(options.modelPath);
  const matches = matchTargets(model, options.targets);
  const index = indexGraph(model.graph);
  const types = inputTypes(index);
  const steps = await loadSteps(model, index, types, groupByNode(index, matches));
  const names = segmentNames(index, (tensor) => types.get(tensor) === TensorProto_DataType.FLOAT16);
  const inputs = declaredInputs(index, types);
  const outputs = madeOutputs(index, steps);
  const run = (feeds: Tensors, onTargets: OnTargets): Promise<Tensors> =>
    runSteps(steps, names, outputs, feeds, onTargets);
  return {
    inputs,
    outputs,
    matches,
    roundTrips: steps.filter(({ asks }) => asks.length > 0).length,
    run,
    with: (onTargets) => ({ inputs, outputs, run: (feeds) => run(feeds, onTargets) }),
    close: () => closeSteps(steps),
  };
}

interface TargetNode extends ModuleMatch {
  keys: string[];
  /** Tensor that gets the delta. */
  y: string;
}

/** A segment ready to run. */
interface Step {
  segment: Segment;
  asks: { x: string; targets: TargetNode[] }[];
  /** Undefined for a segment without nodes: a target that reads a graph input. */
  session: InferenceSession | undefined;
}

function matchTargets(model: OnnxModel, targets: readonly Target[]): Map<string, ModuleMatch> {
  const found = matchModules(
    model,
    targets.map(({ modulePath, ...rest }) => ({ path: modulePath, ...rest })),
  );
  const matches = new Map(targets.map(({ key }, i) => [key, found[i]!]));
  ensure(matches.size === targets.length, "model/duplicate-key", "two targets have the same key", {
    field: "targets",
  });
  return matches;
}

function groupByNode(index: GraphIndex, matches: ReadonlyMap<string, ModuleMatch>): Map<number, TargetNode> {
  const nodes = new Map<number, TargetNode>();
  for (const [key, match] of matches) {
    const known = nodes.get(match.at);
    if (known !== undefined) known.keys.push(key);
    else nodes.set(match.at, { ...match, keys: [key], y: index.graph.node[match.at]!.output[0]! });
  }
  return nodes;
}

/** ONNX element type by tensor, filled as far as known. */
type ElementTypes = Map<string, number>;

function inputTypes(index: GraphIndex): ElementTypes {
  const types: ElementTypes = new Map();
  for (const [name, { type }] of index.inputs)
    if (type?.value.case === "tensorType") types.set(name, type.value.value.elemType);
  return types;
}

/** Loads the segments in order: the types each session reports type the inputs of the next. */
async function loadSteps(
  model: OnnxModel,
  index: GraphIndex,
  types: ElementTypes,
  nodes: Map<number, TargetNode>,
): Promise<Step[]> {
  const steps: Step[] = [];
  try {
    for (const segment of planCut(index, new Set(nodes.keys()))) {
      const session = await loadSegment(model, index, segment, types);
      const asks = segment.asks.map(({ x, targets }) => ({ x, targets: targets.map((n) => nodes.get(n)!) }));
      steps.push({ segment, asks, session });
    }
  } catch (error) {
    await closeSteps(steps);
    throw error;
  }
  return steps;
}

/** Loads one segment, and once more with casts when outputs turn out to be float16, which sessions cannot hand out. */
async function loadSegment(
  model: OnnxModel,
  index: GraphIndex,
  segment: Segment,
  types: ElementTypes,
): Promise<InferenceSession | undefined> {
  if (segment.nodes.length === 0) return undefined;
  const session = await createSession(buildSegmentModel(model, index, segment, types), model);
  for (const [i, { type }] of describe(session.outputMetadata).entries())
    types.set(segment.outputs[i]!, elementTypeOf(type));
  if (!segment.outputs.some((name) => types.get(name) === TensorProto_DataType.FLOAT16)) return session;
  await session.release();
  return createSession(buildSegmentModel(model, index, segment, types), model);
}

async function closeSteps(steps: Step[]): Promise<void> {
  for (const { session } of steps) await session?.release();
}

const RUNTIME_NAMES: Record<string, string> = { FLOAT: "float32", DOUBLE: "float64", FLOAT16: "float32" };

/** ONNX Runtime's name of an element type, as it is at a border: float16 is exchanged as float32. */
function runtimeType(elementType: number): string {
  const name = TensorProto_DataType[elementType] ?? "UNDEFINED";
  return RUNTIME_NAMES[name] ?? name.toLowerCase();
}

function elementTypeOf(runtimeName: string): number {
  const known: Record<string, number> = {
    float32: TensorProto_DataType.FLOAT,
    float64: TensorProto_DataType.DOUBLE,
  };
  const name = runtimeName.toUpperCase() as keyof typeof TensorProto_DataType;
  return known[runtimeName] ?? TensorProto_DataType[name];
}

function declaredInputs(index: GraphIndex, types: ElementTypes): TensorInfo[] {
  return [...index.inputs].map(([name, { type }]) => {
    const dims = type?.value.case === "tensorType" ? (type.value.value.shape?.dim ?? []) : [];
    const shape = dims.map(({ value }) =>
      value.case === "dimValue" ? Number(value.value) : (value.value ?? ""),
    );
    return { name, type: runtimeType(types.get(name) ?? 0), shape };
  });
}

function madeOutputs(index: GraphIndex, steps: Step[]): TensorInfo[] {
  const made = steps.flatMap(({ segment, session }) =>
    describe(session?.outputMetadata ?? []).map((info, i) => ({ ...info, name: segment.outputs[i]! })),
  );
  return index.graph.output.flatMap(({ name }) => made.find((info) => info.name === name) ?? []);
}

/** One pass through the segments. */
async function runSteps(
  steps: Step[],
  names: SegmentNames,
  outputs: readonly TensorInfo[],
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
