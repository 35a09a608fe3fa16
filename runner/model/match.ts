/**
 * Finds the graph node of each PEFT module: a linear layer whose node name, recorded scope or weight name ends in the
 * module's path. What cannot be cut there is refused with its reason.
 */
import type { GraphProto, NodeProto } from "onnx-buf";
import { DeltapayError } from "../protocol/errors.ts";
import { type GraphIndex, indexGraph, innerGraphs, nodeLabel } from "./graph.ts";
import type { OnnxModel } from "./onnxFile.ts";
import { linearShape, traceWeight } from "./weights.ts";

export interface ModuleQuery {
  /** PEFT module path, e.g. `transformer.h.0.attn.c_attn`. */
  path: string;
  /** Node (by name, or by first output) chosen by the user; overrides the search. */
  node?: string | undefined;
  /** Shape of the adapter's module, checked against the node's weight when given. */
  dIn?: number | undefined;
  dOut?: number | undefined;
}

export interface ModuleMatch {
  path: string;
  /** Node name, or its first output where it has none. */
  node: string;
  /** Index of the node in the graph. */
  at: number;
  dIn: number;
  dOut: number;
}

type Rule = (node: NodeProto, index: GraphIndex) => string | undefined;

/** Ways to name a node's module, most reliable first. */
const RULES: readonly Rule[] = [nodeNameScope, recordedScope, weightScope];
const QUANTISED_OPS = new Set(["MatMulInteger", "QLinearMatMul"]);
const OTHER_OPS = new Set(["Conv", "ConvTranspose", "Einsum"]);
const PACKED = /^(?:qkv|qkv_proj|c_attn|query_key_value|Wqkv|in_proj|gate_up_proj)$/;
const PACKABLE = /^(?:[qkv]_proj|query|key|value|gate_proj|up_proj)$/;
const MAX_LISTED = 12;

/**
 * Matches every query to exactly one node of the main graph.
 * @throws DeltapayError `model/no-match`, `model/several-matches` (with candidates), `model/unsupported-target`,
 * `model/shape-mismatch`, `model/other-tokens`
 */
export function matchModules(model: OnnxModel, queries: readonly ModuleQuery[]): ModuleMatch[] {
  const index = indexGraph(model.graph);
  return queries.map((query) => {
    const at =
      query.node === undefined ? findNode(model, index, query.path) : findChosen(model, index, query);
    const node = index.graph.node[at]!;
    const match = { path: query.path, node: nodeLabel(node), at, ...linearShape(index, node)! };
    checkShape(query, match);
    return match;
  });
}

/**
 * Refuses two modules of one adapter on the same node.
 * @throws DeltapayError `model/shared-node`
 */
export function refuseSharedNodes(matches: readonly ModuleMatch[]): void {
  const owner = new Map<number, string>();
  for (const { at, node, path } of matches) {
    const other = owner.get(at);
    if (other !== undefined)
      throw new DeltapayError("model/shared-node", `'${other}' and '${path}' both match the node '${node}'`, {
        field: path,
        hint: "name the node of each module yourself",
      });
    owner.set(at, path);
  }
}

function findNode(model: OnnxModel, index: GraphIndex, path: string): number {
  refuseExperts(path);
  for (const scopeOf of RULES) {
    const named = index.graph.node.flatMap((node, n) => (sameModule(scopeOf(node, index), path) ? [n] : []));
    const linear = named.filter((n) => linearShape(index, index.graph.node[n]!) !== undefined);
    if (linear.length === 1) return linear[0]!;
    if (linear.length > 1) refuseSeveral(index, path, linear);
    for (const n of named) refuseUnsupported(model, index.graph.node[n]!, path);
  }
  refuseNested(model, path);
  refusePacked(index, path);
  throw new DeltapayError(
    "model/no-match",
    `no node of the model matches '${path}'; ${candidates(index, path)}`,
    {
      field: path,
      hint: "the adapter belongs to another model, or name the node yourself",
    },
  );
}

function findChosen(model: OnnxModel, index: GraphIndex, { path, node: chosen }: ModuleQuery): number {
  const at = index.graph.node.findIndex((node) => node.name === chosen || node.output[0] === chosen);
  const node = index.graph.node[at];
  if (node === undefined)
    throw new DeltapayError(
      "model/no-match",
      `the model has no node '${chosen}'; ${candidates(index, path)}`,
      {
        field: path,
      },
    );
  if (linearShape(index, node) === undefined) {
    refuseUnsupported(model, node, path);
    unsupported(path, node, "it is not a MatMul or Gemm with a constant 2-D weight");
  }
  return at;
}

/** Whether two dotted paths name the same module: equal, or one ends in the other on a dot. */
function sameModule(scope: string | undefined, path: string): boolean {
  if (scope === undefined || scope === "") return false;
  const [a, b] = [canonical(scope), canonical(path)];
  return a === b || a.endsWith(`.${b}`) || b.endsWith(`.${a}`);
}

function canonical(path: string): string {
  return path.replace(/(^|\.)self_attn(?=\.|$)/g, "$1attn");
}

/** `/transformer/h.0/attn/c_attn/Gemm` -> `transformer.h.0.attn.c_attn`. */
function nodeNameScope({ name }: NodeProto): string | undefined {
  return name.includes("/") ? name.replace(/^\//, "").split("/").slice(0, -1).join(".") : undefined;
}

/** The scope the dynamo exporter records; its last entry is the operation itself. */
function recordedScope({ metadataProps }: NodeProto): string | undefined {
  const recorded = metadataProps.find(({ key }) => key === "pkg.torch.onnx.name_scopes")?.value;
  return recorded === undefined ? undefined : [...recorded.matchAll(/'([^']*)'/g)].at(-2)?.[1];
}

/** `transformer.h.0.attn.c_attn.weight` -> `transformer.h.0.attn.c_attn`; never by bias: equal ones are merged. */
function weightScope(node: NodeProto, index: GraphIndex): string | undefined {
  const input = node.input[1];
  if (input === undefined) return undefined;
  const name = traceWeight(index, input)?.name ?? input;
  return /^(.+?)(?:\.MatMul)?\.q?weight(?:_\w+)?$/.exec(name)?.[1];
}

function checkShape(query: ModuleQuery, match: ModuleMatch): void {
  for (const side of ["dIn", "dOut"] as const)
    if (query[side] !== undefined && query[side] !== match[side])
      throw new DeltapayError(
        "model/shape-mismatch",
        `'${query.path}' is ${query.dIn} -> ${query.dOut} in the adapter (d_in of A, d_out of B), node '${match.node}' is ` +
          `${match.dIn} -> ${match.dOut} in the model`,
        { field: query.path, hint: "the adapter belongs to another model" },
      );
}

function refuseExperts(path: string): void {
  if (path.split(".").includes("experts"))
    throw new DeltapayError(
      "model/other-tokens",
      `'${path}' is an expert of a mixture and sees only some tokens`,
      {
        field: path,
        hint: "only modules that see every token of a pass can be served",
      },
    );
}

function refuseSeveral(index: GraphIndex, path: string, found: number[]): never {
  const labels = found.slice(0, MAX_LISTED).map((n) => nodeLabel(index.graph.node[n]!));
  throw new DeltapayError("model/several-matches", `'${path}' matches several nodes: ${labels.join(", ")}`, {
    field: path,
    hint: "name the node yourself",
  });
}

/** Throws when a node that carries the module's name does its work in a form that cannot be cut. */
function refuseUnsupported(model: OnnxModel, node: NodeProto, path: string): void {
  const { domain, opType } = node;
  if (model.proto.functions.some((body) => body.domain === domain && body.name === opType))
    unsupported(
      path,
      node,
      `it calls the local function ${opType}`,
      "export the model without local functions",
    );
  if (domain !== "" && domain !== "ai.onnx")
    unsupported(
      path,
      node,
      `it is the fused operator ${domain}.${opType}`,
      "export the model without fused operators",
    );
  if (QUANTISED_OPS.has(opType))
    unsupported(
      path,
      node,
      `its weight is quantised (${opType})`,
      "use the float model: an integer product cannot take a delta",
    );
  if (OTHER_OPS.has(opType)) unsupported(path, node, `${opType} is not a plain matrix product`);
  if (opType === "Gemm" || opType === "MatMul") refuseTransposed(path, node);
}

function refuseTransposed(path: string, node: NodeProto): void {
  if (node.attribute.some(({ name, i }) => name === "transA" && i !== 0n))
    unsupported(path, node, "it reads its input transposed");
}

/** Looks for the module where a cut cannot reach: inside If and Loop, and inside local functions. */
function refuseNested(model: OnnxModel, path: string): void {
  for (const outer of model.graph.node) {
    const inner = innerGraphs(outer).flatMap((graph) => namedInside(graph, path));
    if (inner.length > 0)
      unsupported(
        path,
        inner[0]!,
        `it lies inside the ${outer.opType} node '${nodeLabel(outer)}'`,
        "export one graph without branches (not a merged decoder)",
      );
  }
  for (const body of model.proto.functions) {
    const inner = body.node.filter((node) => sameModule(nodeNameScope(node), path));
    if (inner.length > 0)
      unsupported(
        path,
        inner[0]!,
        `it lies inside the local function ${body.name}`,
        "export the model without local functions",
      );
  }
}

function namedInside(graph: GraphProto, path: string): NodeProto[] {
  const index = indexGraph(graph);
  const here = graph.node.filter((node) => RULES.some((scopeOf) => sameModule(scopeOf(node, index), path)));
  return [...here, ...graph.node.flatMap(innerGraphs).flatMap((inner) => namedInside(inner, path))];
}

/** q, k and v (or gate and up) multiplied as one matrix: the module has no output of its own to add to. */
function refusePacked(index: GraphIndex, path: string): void {
  const parts = canonical(path).split(".");
  if (!PACKABLE.test(parts.at(-1)!)) return;
  const parent = parts.slice(0, -1).join(".");
  for (const node of index.graph.node)
    for (const scopeOf of RULES) {
      const scope = scopeOf(node, index)?.split(".") ?? [];
      if (PACKED.test(scope.at(-1) ?? "") && sameModule(scope.slice(0, -1).join("."), parent))
        unsupported(
          path,
          node,
          "it is packed with its siblings into one product",
          "export the model with separate projections",
        );
    }
}

/** Names linear layers that the user may have meant: those with the same last name, else all. */
function candidates(index: GraphIndex, path: string): string {
  const linear = index.graph.node.filter((node) => linearShape(index, node) !== undefined);
  const leaf = path.split(".").at(-1)!;
  const alike = linear.filter((node) =>
    RULES.some((scopeOf) => scopeOf(node, index)?.split(".").at(-1) === leaf),
  );
  const listed = alike.length > 0 ? alike : linear;
  const labels = listed.slice(0, MAX_LISTED).map(nodeLabel).join(", ");
  const more = listed.length > MAX_LISTED ? ` and ${listed.length - MAX_LISTED} more` : "";
  return listed.length === 0 ? "it has no linear layer" : `candidates: ${labels}${more}`;
}

function unsupported(path: string, node: NodeProto, reason: string, hint?: string): never {
  throw new DeltapayError("model/unsupported-target", `'${path}' at node '${nodeLabel(node)}': ${reason}`, {
    field: path,
    ...(hint === undefined ? {} : { hint }),
  });
}
