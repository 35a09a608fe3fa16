/** Runs a base model cut at the targeted layers: at each cut the caller turns activations into deltas. */
import { TensorProto_DataType } from "onnx-buf";
import { ensure } from "../protocol/errors.ts";
import { planCut, type Segment } from "./cut.ts";
import { type DeltaRequest, type OnTargets, runCut, type Step, type TargetNode } from "./cutRun.ts";
import { declaredInputs, type ElementTypes, elementTypeOf, inputTypes } from "./elementTypes.ts";
import { type GraphIndex, indexGraph } from "./graph.ts";
import { type ModuleMatch, matchModules } from "./match.ts";
import { type OnnxModel, readOnnxModel } from "./onnxFile.ts";
import { buildSegmentModel, segmentNames } from "./segmentModel.ts";
import {
  createSession,
  describe,
  type InferenceSession,
  type Runnable,
  type TensorInfo,
  type Tensors,
} from "./session.ts";

export type { DeltaRequest, OnTargets };

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
   * @throws DeltapayError as `runCut`, and whatever `onTargets` throws
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
    runCut({ steps, names, outputs }, feeds, onTargets);
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

function madeOutputs(index: GraphIndex, steps: Step[]): TensorInfo[] {
  const made = steps.flatMap(({ segment, session }) =>
    describe(session?.outputMetadata ?? []).map((info, i) => ({ ...info, name: segment.outputs[i]! })),
  );
  return index.graph.output.flatMap(({ name }) => made.find((info) => info.name === name) ?? []);
}
