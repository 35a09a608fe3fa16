/** The module a graph node belongs to, as far as the exporter left a trace of it. */
import type { NodeProto } from "onnx-buf";
import type { GraphIndex } from "./graph.ts";
import { traceWeight } from "./weights.ts";

type Rule = (node: NodeProto, index: GraphIndex) => string | undefined;

/** Ways to name a node's module, most reliable first. */
const RULES: readonly Rule[] = [nodeNameScope, recordedScope, weightScope];

/** Canonical module path per rule and node; undefined where a rule says nothing. */
export type ModuleScopes = readonly (readonly (string | undefined)[])[];

/** Names the module of every node of a graph, by each rule. */
export function moduleScopes(index: GraphIndex): ModuleScopes {
  return RULES.map((scopeOf) =>
    index.graph.node.map((node) => {
      const scope = scopeOf(node, index);
      return scope === undefined || scope === "" ? undefined : canonicalPath(scope);
    }),
  );
}

/** Exporters write `attn` where the model says `self_attn`. */
export function canonicalPath(path: string): string {
  return path.replace(/(^|\.)self_attn(?=\.|$)/g, "$1attn");
}

/** Whether two canonical paths name the same module: equal, or one ends in the other on a dot. */
export function sameModule(scope: string | undefined, path: string): boolean {
  if (scope === undefined) return false;
  return scope === path || scope.endsWith(`.${path}`) || path.endsWith(`.${scope}`);
}

/** `/transformer/h.0/attn/c_attn/Gemm` -> `transformer.h.0.attn.c_attn`. */
export function nodeNameScope({ name }: NodeProto): string | undefined {
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
