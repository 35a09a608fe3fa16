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
  const transposes: NodeProto[] = [];
  const seenAs = (name: string, dims: readonly bigint[]): StoredWeight => ({
    name,
    shape: transposes.reduceRight(permuted, dims.map(Number)),
  });
  let name = tensor;
  // Nodes stand in the order of their making: one that reads what comes later would lead in a circle.
  for (let before = Number.POSITIVE_INFINITY; ; ) {
    const stored = index.initializers.get(name);
    if (stored !== undefined) return seenAs(name, stored.dims);
    const at = index.producer.get(name);
    if (at === undefined || at >= before) return undefined;
    const node = index.graph.node[at]!;
    if (node.opType === "Constant") {
      const value = node.attribute.find((attribute) => attribute.name === "value")?.t;
      return value && seenAs(name, value.dims);
    }
    if (node.opType === "Transpose") transposes.push(node);
    else if (!PASS_THROUGH.has(node.opType)) return undefined;
    name = node.input[0] ?? "";
    before = at;
  }
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
