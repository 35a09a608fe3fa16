/**
 * Finds the graph node of each PEFT module: a linear layer whose node name, recorded scope or weight name ends in the
 * module's path. What cannot be cut there is refused with its reason.
 */
import { DeltapayError } from "../protocol/errors.ts";
import { type GraphIndex, indexGraph, nodeLabel } from "./graph.ts";
import { canonicalPath, type ModuleScopes, moduleScopes, sameModule } from "./moduleScope.ts";
import type { OnnxModel } from "./onnxFile.ts";
import { refuseExpert, refuseNested, refusePacked, refuseTarget, refuseUncuttable } from "./refusals.ts";
import { linearShape } from "./weights.ts";

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

const MAX_LISTED = 12;

/** What is searched: the model, its index and the modules its nodes name. */
interface Searched {
  model: OnnxModel;
  index: GraphIndex;
  scopes: ModuleScopes;
}

/**
 * Matches every query to exactly one node of the main graph.
 * @throws DeltapayError `model/no-match`, `model/several-matches` (with candidates), `model/unsupported-target`,
 * `model/shape-mismatch`, `model/other-tokens`
 */
export function matchModules(model: OnnxModel, queries: readonly ModuleQuery[]): ModuleMatch[] {
  const index = indexGraph(model.graph);
  const searched = { model, index, scopes: moduleScopes(index) };
  return queries.map((query) => {
    const at = query.node === undefined ? findNode(searched, query.path) : findChosen(searched, query);
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

function findNode(searched: Searched, path: string): number {
  const { model, index, scopes } = searched;
  refuseExpert(path);
  const wanted = canonicalPath(path);
  for (const rule of scopes) {
    const named = [...rule.keys()].filter((n) => sameModule(rule[n], wanted));
    const linear = named.filter((n) => linearShape(index, index.graph.node[n]!) !== undefined);
    if (linear.length === 1) return linear[0]!;
    if (linear.length > 1) refuseSeveral(index, path, linear);
    for (const n of named) refuseUncuttable(model, index.graph.node[n]!, path);
  }
  refuseNested(model, path);
  refusePacked(index, scopes, path);
  return refuseMissing(path, `no node of the model matches '${path}'`, searched);
}

function findChosen(searched: Searched, { path, node: chosen }: ModuleQuery): number {
  const { model, index } = searched;
  const at = index.graph.node.findIndex((node) => node.name === chosen || node.output[0] === chosen);
  const node = index.graph.node[at];
  if (node === undefined) return refuseMissing(path, `the model has no node '${chosen}'`, searched);
  if (linearShape(index, node) === undefined) {
    refuseUncuttable(model, node, path);
    refuseTarget(path, node, "it is not a MatMul or Gemm with a constant 2-D weight");
  }
  return at;
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

function refuseSeveral(index: GraphIndex, path: string, found: number[]): never {
  const labels = found.slice(0, MAX_LISTED).map((n) => nodeLabel(index.graph.node[n]!));
  throw new DeltapayError("model/several-matches", `'${path}' matches several nodes: ${labels.join(", ")}`, {
    field: path,
    hint: "name the node yourself",
  });
}

function refuseMissing(path: string, message: string, searched: Searched): never {
  throw new DeltapayError("model/no-match", `${message}; ${candidates(searched, path)}`, {
    field: path,
    hint: "the adapter belongs to another model, or name the node yourself",
  });
}

/** Names linear layers that the user may have meant: those with the same last name, else all. */
function candidates({ index, scopes }: Searched, path: string): string {
  const { node: nodes } = index.graph;
  const linear = [...nodes.keys()].filter((n) => linearShape(index, nodes[n]!) !== undefined);
  const leaf = path.split(".").at(-1)!;
  const alike = linear.filter((n) => scopes.some((rule) => rule[n]?.split(".").at(-1) === leaf));
  const listed = alike.length > 0 ? alike : linear;
  const labels = listed.slice(0, MAX_LISTED).map((n) => nodeLabel(nodes[n]!));
  const more = listed.length > MAX_LISTED ? ` and ${listed.length - MAX_LISTED} more` : "";
  return listed.length === 0 ? "it has no linear layer" : `candidates: ${labels.join(", ")}${more}`;
}
