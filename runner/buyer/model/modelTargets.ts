/** Which layers of the base model an adapter's modules attach to. */
import { matchModules, refuseSharedNodes } from "../../model/match.ts";
import { compareModuleLists, type TargetedModules, targetedLayers } from "../../model/moduleLists.ts";
import { readOnnxModel } from "../../model/onnxFile.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import type { TargetShape } from "../opening/verifyAdapter.ts";

/** Node chosen by the user, by module path; others are searched for. */
export type NodeChoices = Readonly<Record<string, string>>;

/**
 * A `findTargets` for `verifyAdapter`.
 * @param expected what the adapter should have, where the buyer was told (its published PEFT config)
 * @throws (when called) DeltapayError `adapter/missing-module`, `adapter/unexpected-module`; `model/...`, naming the candidates where a module matches none or several nodes
 */
export function targetsOfModel(
  modelPath: string,
  nodes: NodeChoices = {},
  expected?: TargetedModules,
): (manifest: Manifest) => Promise<TargetShape[]> {
  return async (manifest) => {
    const model = await readOnnxModel(modelPath);
    if (expected !== undefined)
      compareModuleLists(
        targetedLayers(model, expected),
        manifest.modules.map(({ name }) => name),
      );
    const matches = matchModules(
      model,
      manifest.modules.map(({ name }) => ({ path: name, node: nodes[name] })),
    );
    refuseSharedNodes(matches);
    return matches.map(({ path, dIn, dOut }) => ({ modulePath: path, dIn, dOut }));
  };
}
