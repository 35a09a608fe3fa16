/** Small hand-made graphs for what the fixtures do not have. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import type { OnnxModel } from "../../runner/model/onnxFile.ts";

export { DataType };

export function node(
  opType: string,
  name: string,
  input: string[],
  output: string[],
  attribute: AttributeProto[] = [],
): NodeProto {
  return create(NodeProtoSchema, { opType, name, input, output, attribute });
}

export function intAttribute(name: string, value: number): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
}

export function graphAttribute(name: string, g: GraphProto): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g });
}

export function floats(name: string, dims: number[], values: number[]): TensorProto {
  const rawData = new Uint8Array(Float32Array.from(values).buffer);
  return create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType: DataType.FLOAT, rawData });
}

export function info(name: string, elemType: number, dims?: (number | string)[]): ValueInfoProto {
  const dim = dims?.map((size) =>
    typeof size === "number"
      ? { value: { case: "dimValue" as const, value: BigInt(size) } }
      : { value: { case: "dimParam" as const, value: size } },
  );
  const value = { elemType, ...(dim === undefined ? {} : { shape: { dim } }) };
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: "tensorType", value } }),
  });
}

export interface GraphParts {
  nodes: NodeProto[];
  initializers?: TensorProto[];
  inputs: ValueInfoProto[];
  outputs: ValueInfoProto[];
}

export function graph({ nodes, initializers = [], inputs, outputs }: GraphParts): GraphProto {
  return create(GraphProtoSchema, {
    name: "g",
    node: nodes,
    initializer: initializers,
    input: inputs,
    output: outputs,
  });
}

export function model(parts: GraphParts): ModelProto {
  const opset = create(OperatorSetIdProtoSchema, { domain: "", version: 17n });
  return create(ModelProtoSchema, { irVersion: 8n, opsetImport: [opset], graph: graph(parts) });
}

/** A model as if it had been read from a file. */
export function inMemory(proto: ModelProto): OnnxModel {
  return { proto, graph: proto.graph!, path: "memory.onnx", folder: ".", externalFiles: [] };
}

export function writeModel(folder: string, proto: ModelProto): string {
  const path = join(folder, "model.onnx");
  writeFileSync(path, toBinary(ModelProtoSchema, proto));
  return path;
}
