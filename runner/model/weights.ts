/** Traces the weight of a linear layer back to where it is stored. */
import type { NodeProto } from "onnx-buf";
import type { GraphIndex } from "./graph.ts";

export interface StoredWeight {
  /** Name of the stored tensor. */
  name: string;
  /** Sizes as seen at the end of the trace, transpositions applied. */
  shape: number[];
}

const PASS_THROUGH = new Set(["Cast", "DequantizeLinear", "Identity"]);

/** The stored tensor behind `tensor`, back through Transpose, Cast, DequantizeLinear and Identity. */
export function traceWeight(index: GraphIndex, tensor: string): StoredWeight | undefined {
  const stored = index.initializers.get(tensor);
  if (stored !== undefined) return { name: tensor, shape: stored.dims.map(Number) };
  const at = index.producer.get(tensor);
  if (at === undefined) return undefined;
  const node = index.graph.node[at]!;
  if (node.opType === "Constant") {
    const value = node.attribute.find(({ name }) => name === "value")?.t;
    return value && { name: tensor, shape: value.dims.map(Number) };
  }
  const before = node.input[0] ?? "";
  if (PASS_THROUGH.has(node.opType)) return traceWeight(index, before);
  if (node.opType !== "Transpose") return undefined;
  const weight = traceWeight(index, before);
  return weight && { name: weight.name, shape: permuted(weight.shape, node) };
}

function permuted(shape: number[], transpose: NodeProto): number[] {
  const order = transpose.attribute.find(({ name }) => name === "perm")?.ints;
  return order === undefined ? shape.toReversed() : order.map((axis) => shape[Number(axis)] ?? 0);
}

/** Inputs and outputs of a MatMul or Gemm with a constant 2-D weight; undefined for any other node. */
export function linearShape(index: GraphIndex, node: NodeProto): { dIn: number; dOut: number } | undefined {
  if (node.domain !== "" && node.domain !== "ai.onnx") return undefined;
  if (node.opType !== "MatMul" && node.opType !== "Gemm") return undefined;
  if (hasFlag(node, "transA") || index.constants.has(node.input[0] ?? "")) return undefined;
  const shape = traceWeight(index, node.input[1] ?? "")?.shape;
  if (shape?.length !== 2) return undefined;
  const [dIn, dOut] = (hasFlag(node, "transB") ? shape.toReversed() : shape) as [number, number];
  return { dIn, dOut };
}

function hasFlag(node: NodeProto, flag: string): boolean {
  return node.attribute.some(({ name, i }) => name === flag && i !== 0n);
}
