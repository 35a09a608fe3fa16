/** Builds the ONNX model of one segment. Every tensor that crosses a border does so as float32, never float16. */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProto_DataType,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import type { Segment } from "./cut.ts";
import type { GraphIndex } from "./graph.ts";
import type { OnnxModel } from "./onnxFile.ts";

/** Names at the borders of a segment: its session is fed and read by these. */
export interface SegmentNames {
  /** Session input or output name of a tensor of the graph. */
  border: (tensor: string) => string;
  /** Session input that takes the delta of a target's output. */
  delta: (output: string) => string;
}

/** Names that collide with no tensor of the graph. */
export function segmentNames(index: GraphIndex, isHalf: (tensor: string) => boolean): SegmentNames {
  return {
    border: (tensor) => (isHalf(tensor) ? fresh(index, tensor, "float32") : tensor),
    delta: (output) => fresh(index, output, "delta"),
  };
}

function fresh(index: GraphIndex, tensor: string, role: string): string {
  let name = `${tensor}__${role}`;
  while (index.producer.has(name) || index.initializers.has(name) || index.inputs.has(name)) name += "_";
  return name;
}

/**
 * Serialises a segment as a model of its own; initializers keep pointing at the original external data.
 * @param elementTypes ONNX element type of every tensor known so far: the segment's inputs, and those of its outputs
 * that are float16 and must be cast
 */
export function buildSegmentModel(
  model: OnnxModel,
  index: GraphIndex,
  segment: Segment,
  elementTypes: ReadonlyMap<string, number>,
): Uint8Array {
  const isHalf = (tensor: string): boolean => elementTypes.get(tensor) === TensorProto_DataType.FLOAT16;
  const names = segmentNames(index, isHalf);
  const targets = new Set(segment.asks.flatMap((ask) => ask.targets));
  const castIn = segment.inputs
    .filter(isHalf)
    .map((name) => cast(names.border(name), name, TensorProto_DataType.FLOAT16));
  const castOut = segment.outputs
    .filter(isHalf)
    .map((name) => cast(name, names.border(name), TensorProto_DataType.FLOAT));
  const nodes = segment.nodes.flatMap((n) => {
    const node = index.graph.node[n]!;
    return targets.has(n) ? withDelta(index, node, names, isHalf(node.input[0]!)) : [node];
  });
  const deltas = [...targets].map((n) => names.delta(index.graph.node[n]!.output[0]!));

  const graph = create(GraphProtoSchema, {
    name: model.graph.name,
    node: [...castIn, ...nodes, ...castOut],
    ...usedInitializers(index, segment),
    input: [
      ...segment.inputs.map((name) => inputInfo(index, name, names.border(name), elementTypes.get(name)!)),
      ...deltas.map((name) => typedInfo(name, TensorProto_DataType.FLOAT)),
    ],
    // ONNX Runtime infers the types of outputs; the next segment's inputs are typed from what it reports.
    output: segment.outputs.map((name) => create(ValueInfoProtoSchema, { name: names.border(name) })),
  });
  const { proto } = model;
  const cut = create(ModelProtoSchema, { ...proto, graph });
  if (proto.$unknown !== undefined) cut.$unknown = proto.$unknown;
  return toBinary(ModelProtoSchema, cut);
}

/** `y = f(x)` becomes `y__base = f(x); y = y__base + y__delta`, added in float32 and cast back where y is float16. */
function withDelta(index: GraphIndex, target: NodeProto, names: SegmentNames, half: boolean): NodeProto[] {
  const y = target.output[0]!;
  const base = fresh(index, y, "base");
  const renamed: NodeProto = { ...target, output: [base, ...target.output.slice(1)] };
  if (!half) return [renamed, add(base, names.delta(y), y)];
  const wide = fresh(index, y, "wide");
  const sum = fresh(index, y, "sum");
  return [
    renamed,
    cast(base, wide, TensorProto_DataType.FLOAT),
    add(wide, names.delta(y), sum),
    cast(sum, y, TensorProto_DataType.FLOAT16),
  ];
}

function add(a: string, b: string, to: string): NodeProto {
  return create(NodeProtoSchema, { opType: "Add", input: [a, b], output: [to], name: `${to}__add` });
}

function cast(from: string, to: string, type: TensorProto_DataType): NodeProto {
  const attribute = create(AttributeProtoSchema, {
    name: "to",
    type: AttributeProto_AttributeType.INT,
    i: BigInt(type),
  });
  return create(NodeProtoSchema, {
    opType: "Cast",
    input: [from],
    output: [to],
    name: `${to}__cast`,
    attribute: [attribute],
  });
}

/** Keeps the declared shape of a graph input; a tensor from an earlier segment has a type only. */
function inputInfo(index: GraphIndex, tensor: string, name: string, elementType: number): ValueInfoProto {
  const declared = index.inputs.get(tensor);
  if (declared !== undefined && name === tensor) return declared;
  const isHalf = elementType === TensorProto_DataType.FLOAT16;
  return typedInfo(name, isHalf ? TensorProto_DataType.FLOAT : elementType);
}

function typedInfo(name: string, elemType: number): ValueInfoProto {
  const type = create(TypeProtoSchema, { value: { case: "tensorType", value: { elemType } } });
  return create(ValueInfoProtoSchema, { name, type });
}

function usedInitializers(index: GraphIndex, segment: Segment) {
  const used = new Set([...segment.nodes.flatMap((n) => index.reads[n]!), ...segment.outputs]);
  return {
    initializer: [...index.initializers.values()].filter(({ name }) => used.has(name)),
    sparseInitializer: [...index.sparseInitializers].flatMap(([name, tensor]) =>
      used.has(name) ? [tensor] : [],
    ),
  };
}
