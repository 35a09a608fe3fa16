/** The base model as it is, uncut: what a buyer has without any adapter. */
import { type CutModel, loadCutModel } from "./cutModel.ts";
import type { Runnable } from "./session.ts";

export interface PlainModel extends Runnable {
  close: () => Promise<void>;
}

/**
 * Loads a model without cutting it.
 * @throws DeltapayError as `loadCutModel`
 */
export async function loadPlainModel(modelPath: string): Promise<PlainModel> {
  // One segment and no target: the same borders (float16 exchanged as float32) as the cut model.
  const model: CutModel = await loadCutModel({ modelPath, targets: [] });
  return { ...model.with(async () => new Map()), close: model.close };
}
