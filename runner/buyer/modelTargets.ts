/** Which layers of the base model an adapter's modules attach to. */
import { matchModules, refuseSharedNodes } from "../model/match.ts";
import { readOnnxModel } from "../model/onnxFile.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { TargetShape } from "./verifyAdapter.ts";

/** Node chosen by the user, by module path; others are searched for. */
export type NodeChoices = Readonly<Record<string, string>>;

/**
 * A `findTargets` for `verifyAdapter`.
 * @throws (when called) DeltapayError `model/...`, naming the candidates where a module matches none or several nodes
 */
export function targetsOfModel(
  modelPath: string,
  nodes: NodeChoices = {},
): (manifest: Manifest) => Promise<TargetShape[]> {
  return async (manifest) => {
    const matches = matchModules(
      await readOnnxModel(modelPath),
      manifest.modules.map(({ name }) => ({ path: name, node: nodes[name] })),
    );
    refuseSharedNodes(matches);
    return matches.map(({ path, dIn, dOut }) => ({ modulePath: path, dIn, dOut }));
  };
}
