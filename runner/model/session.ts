/** ONNX Runtime sessions with our settings, and errors that say which model failed. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { DeltapayError } from "../protocol/errors.ts";
import type { OnnxModel } from "./onnxFile.ts";

export type { InferenceSession };
export { Tensor };

/** Tensors by name. */
export type Tensors = Record<string, Tensor>;

export interface TensorInfo {
  name: string;
  /** ONNX Runtime's name of the element type, e.g. `float32`, `int64`. */
  type: string;
  /** Sizes, or the names of sizes that vary. */
  shape: readonly (number | string)[];
}

/** A model that turns named inputs into named outputs. */
export interface Runnable {
  inputs: readonly TensorInfo[];
  outputs: readonly TensorInfo[];
  /** Runs once. @throws DeltapayError `model/run-failed` */
  run: (feeds: Tensors) => Promise<Tensors>;
}

/**
 * Creates a session from a serialised model.
 * @param model the model the bytes come from: external data is mapped from its folder
 * @throws DeltapayError `model/cannot-load`
 */
export async function createSession(bytes: Uint8Array, model: OnnxModel): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    // Failures reach the caller as errors; only what ends the process is logged.
    logSeverityLevel: 4,
    extra: {
      session: {
        // A cut model has many sessions, each with its own threads: idle ones must not spin.
        intra_op: { allow_spinning: "0" },
        ...(model.externalFiles.length === 0
          ? {}
          : { model_external_initializers_file_folder_path: model.folder }),
      },
    },
  };
  try {
    return await InferenceSession.create(bytes, options);
  } catch (cause) {
    throw new DeltapayError(
      "model/cannot-load",
      `ONNX Runtime cannot load ${model.path}: ${(cause as Error).message}`,
      {
        field: model.path,
        cause,
      },
    );
  }
}

/** Runs a session once. @throws DeltapayError `model/run-failed` */
export async function runSession(session: InferenceSession, feeds: Tensors): Promise<Tensors> {
  try {
    return (await session.run(feeds)) as Tensors;
  } catch (cause) {
    throw new DeltapayError("model/run-failed", `the base model failed: ${(cause as Error).message}`, {
      hint: "is the text longer than the model's context?",
      cause,
    });
  }
}

/** What a session reads or makes, with element types. @throws DeltapayError `model/not-a-tensor` */
export function describe(metadata: readonly InferenceSession.ValueMetadata[]): TensorInfo[] {
  return metadata.map((value) => {
    if (!value.isTensor)
      throw new DeltapayError("model/not-a-tensor", `'${value.name}' is a sequence or map`, {
        field: value.name,
        hint: "only models that exchange tensors can be cut",
      });
    return { name: value.name, type: value.type, shape: value.shape };
  });
}
