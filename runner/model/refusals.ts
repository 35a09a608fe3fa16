/** Why a module that is in the model still cannot be cut there. Each function throws, or finds nothing to say. */
import type { GraphProto, NodeProto } from "onnx-buf";
import { DeltapayError } from "../protocol/errors.ts";
import { type GraphIndex, indexGraph, innerGraphs, nodeLabel } from "./graph.ts";
import { canonicalPath, type ModuleScopes, moduleScopes, nodeNameScope, sameModule } from "./moduleScope.ts";
import type { OnnxModel } from "./onnxFile.ts";

const QUANTISED_OPS = new Set(["MatMulInteger", "QLinearMatMul"]);
const OTHER_OPS = new Set(["Conv", "ConvTranspose", "Einsum"]);
const PACKED = /^(?:qkv|qkv_proj|c_attn|query_key_value|Wqkv|in_proj|gate_up_proj)$/;
const PACKABLE = /^(?:[qkv]_proj|query|key|value|gate_proj|up_proj)$/;
const WITHOUT_FUNCTIONS = "export the model without local functions";

/** @throws DeltapayError `model/unsupported-target` */
export function refuseTarget(path: string, node: NodeProto, reason: string, hint?: string): never {
  throw new DeltapayError("model/unsupported-target", `'${path}' at node '${nodeLabel(node)}': ${reason}`, {
    field: path,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Experts of a mixture see only some tokens; a pass counts its tokens once. @throws DeltapayError `model/other-tokens` */
export function refuseExpert(path: string): void {
  if (path.split(".").includes("experts"))
    throw new DeltapayError(
      "model/other-tokens",
      `'${path}' is an expert of a mixture and sees only some tokens`,
      { field: path, hint: "only modules that see every token of a pass can be served" },
    );
}

/** A node that carries the module's name and does its work in a form that cannot be cut. */
export function refuseUncuttable(model: OnnxModel, node: NodeProto, path: string): void {
  const { domain, opType } = node;
  if (model.proto.functions.some((body) => body.domain === domain && body.name === opType))
    refuseTarget(path, node, `it calls the local function ${opType}`, WITHOUT_FUNCTIONS);
  if (domain !== "" && domain !== "ai.onnx") {
    const hint = "export the model without fused operators";
    refuseTarget(path, node, `it is the fused operator ${domain}.${opType}`, hint);
  }
  if (QUANTISED_OPS.has(opType)) {
    const hint = "use the float model: an integer product cannot take a delta";
    refuseTarget(path, node, `its weight is quantised (${opType})`, hint);
  }
  if (OTHER_OPS.has(opType)) refuseTarget(path, node, `${opType} is not a plain matrix product`);
  if (opType === "Gemm" && node.attribute.some(({ name, i }) => name === "transA" && i !== 0n))
    refuseTarget(path, node, "it reads its input transposed");
}

/** A module inside If, Loop or Scan, or inside a local function. */
export function refuseNested(model: OnnxModel, path: string): void {
  for (const outer of model.graph.node) {
    const inner = innerGraphs(outer).flatMap((graph) => nodesNamed(graph, path));
    if (inner.length === 0) continue;
    const hint = "export one graph without branches (not a merged decoder)";
    refuseTarget(path, inner[0]!, `it lies inside the ${outer.opType} node '${nodeLabel(outer)}'`, hint);
  }
  for (const { name, node } of model.proto.functions) {
    const inner = node.find((candidate) => {
      const scope = nodeNameScope(candidate);
      return scope !== undefined && sameModule(canonicalPath(scope), canonicalPath(path));
    });
    if (inner !== undefined)
      refuseTarget(path, inner, `it lies inside the local function ${name}`, WITHOUT_FUNCTIONS);
  }
}

function nodesNamed(graph: GraphProto, path: string): NodeProto[] {
  const scopes = moduleScopes(indexGraph(graph));
  const here = graph.node.filter((_, n) => scopes.some((rule) => sameModule(rule[n], canonicalPath(path))));
  return [...here, ...graph.node.flatMap(innerGraphs).flatMap((inner) => nodesNamed(inner, path))];
}

/** q, k and v (or gate and up) multiplied as one matrix: the module has no output of its own to add to. */
export function refusePacked(index: GraphIndex, scopes: ModuleScopes, path: string): void {
  const parts = canonicalPath(path).split(".");
  if (!PACKABLE.test(parts.at(-1)!)) return;
  const parent = parts.slice(0, -1).join(".");
  for (const rule of scopes)
    for (const [n, scope] of rule.entries()) {
      const around = scope?.split(".") ?? [];
      if (!PACKED.test(around.at(-1) ?? "") || !sameModule(around.slice(0, -1).join("."), parent)) continue;
      const hint = "export the model with separate projections";
      refuseTarget(path, index.graph.node[n]!, "it is packed with its siblings into one product", hint);
    }
}
