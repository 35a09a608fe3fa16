/** Indexes an ONNX graph: who makes each tensor, what each node reads, what is constant. */
import type { GraphProto, NodeProto, SparseTensorProto, TensorProto, ValueInfoProto } from "onnx-buf";

export interface GraphIndex {
  graph: GraphProto;
  /** Per node: the tensors it reads, those captured by graphs inside it included. */
  reads: string[][];
  /** Index of the node that makes a tensor. */
  producer: Map<string, number>;
  initializers: Map<string, TensorProto>;
  sparseInitializers: Map<string, SparseTensorProto>;
  /** Declared inputs that the caller must feed; older models list initializers among the inputs, these are left out. */
  inputs: Map<string, ValueInfoProto>;
  /** Tensors that do not depend on the graph's inputs. */
  constants: Set<string>;
}

// Fed by constants or nothing, yet different each time: cloning one would split its value.
const RANDOM_OPS = new Set([
  "Bernoulli",
  "Multinomial",
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
]);

/** Indexes the main graph. Nodes are in topological order, as ONNX demands. */
export function indexGraph(graph: GraphProto): GraphIndex {
  const initializers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const sparseInitializers = new Map(
    graph.sparseInitializer.map((tensor) => [tensor.values?.name ?? "", tensor]),
  );
  const constants = new Set([...initializers.keys(), ...sparseInitializers.keys()]);
  const producer = new Map<string, number>();
  const reads = graph.node.map(tensorsRead);
  for (const [n, node] of graph.node.entries()) {
    const constant = !RANDOM_OPS.has(node.opType) && reads[n]!.every((name) => constants.has(name));
    for (const output of tensorsMade(node)) {
      producer.set(output, n);
      if (constant) constants.add(output);
    }
  }
  const fed = graph.input.filter(({ name }) => !initializers.has(name) && !sparseInitializers.has(name));
  const inputs = new Map(fed.map((input) => [input.name, input]));
  return { graph, reads, producer, initializers, sparseInitializers, inputs, constants };
}

/** Outputs of a node; an empty name is an output left out. */
export function tensorsMade(node: NodeProto): string[] {
  return node.output.filter((name) => name !== "");
}

/** Graphs inside a node: the branches of If, the bodies of Loop and Scan. */
export function innerGraphs(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap(({ g, graphs }) => (g === undefined ? graphs : [g, ...graphs]));
}

/** A node's name, or its first output where it has none. */
export function nodeLabel(node: NodeProto): string {
  return node.name === "" ? (node.output[0] ?? "") : node.name;
}

function tensorsRead(node: NodeProto): string[] {
  const names = new Set(node.input.filter((name) => name !== ""));
  for (const inner of innerGraphs(node)) for (const name of captured(inner)) names.add(name);
  return [...names];
}

/** Tensors a graph inside a node takes from the graphs around it. */
function captured(graph: GraphProto): Set<string> {
  const own = new Set([...graph.input, ...graph.initializer].map(({ name }) => name));
  for (const tensor of graph.sparseInitializer) own.add(tensor.values?.name ?? "");
  const outer = new Set<string>();
  for (const node of graph.node) {
    for (const name of tensorsRead(node)) if (!own.has(name)) outer.add(name);
    for (const name of node.output) own.add(name);
  }
  for (const { name } of graph.output) if (!own.has(name)) outer.add(name);
  return outer;
}
