/** Which layers of a model an adapter should have, by its PEFT config, against those it has: nothing may be left out in silence. */
import { DeltapayError } from "../protocol/errors.ts";
import { indexGraph } from "./graph.ts";
import { canonicalPath, moduleScopes, sameModule } from "./moduleScope.ts";
import type { OnnxModel } from "./onnxFile.ts";
import { linearShape } from "./weights.ts";

export interface TargetedModules {
  /** Last parts of module paths, as in PEFT's `target_modules`. */
  targetModules: readonly string[];
  /** Numbers of layers; null for all. */
  layersToTransform: readonly number[] | null;
}

/** Paths of the model's linear layers that the config names, as far as the exporter left their names. */
export function targetedLayers(
  model: OnnxModel,
  { targetModules, layersToTransform }: TargetedModules,
): string[] {
  const index = indexGraph(model.graph);
  const scopes = moduleScopes(index);
  const names = targetModules.map(canonicalPath);
  const isNamed = (path: string): boolean =>
    names.some((name) => path === name || path.endsWith(`.${name}`)) &&
    (layersToTransform === null ||
      layersToTransform.some((layer) => path.split(".").includes(String(layer))));
  const paths = index.graph.node.flatMap((node, n) => {
    const path = scopes.map((rule) => rule[n]).find((scope) => scope !== undefined);
    return path !== undefined && linearShape(index, node) !== undefined && isNamed(path) ? [path] : [];
  });
  return [...new Set(paths)];
}

/**
 * Refuses an adapter that lacks a layer its config targets, or has one it does not.
 * @param expected `targetedLayers`
 * @param found the adapter's module paths
 * @throws DeltapayError `adapter/missing-module`, `adapter/unexpected-module` naming the module
 */
export function compareModuleLists(expected: readonly string[], found: readonly string[]): void {
  const among = (paths: readonly string[], path: string): boolean =>
    paths.some((other) => sameModule(canonicalPath(other), canonicalPath(path)));
  const missing = expected.find((path) => !among(found, path));
  if (missing !== undefined)
    throw new DeltapayError(
      "adapter/missing-module",
      `the adapter has no '${missing}', which its config targets`,
      {
        field: missing,
        hint: "that layer would stay the base model's: the weights and the config or base model do not belong together",
      },
    );
  const unexpected = found.find((path) => !among(expected, path));
  if (unexpected !== undefined)
    throw new DeltapayError(
      "adapter/unexpected-module",
      `the adapter has '${unexpected}', which its config does not target in this base model`,
      { field: unexpected, hint: "the config and the weights belong to different adapters" },
    );
}
