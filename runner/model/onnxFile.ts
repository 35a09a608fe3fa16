/** Reads and hashes ONNX files. External tensor data must lie in the model's own folder. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
} from "onnx-buf";
import { DeltapayError, ensure } from "../protocol/errors.ts";

// Protobuf's own limit; larger models keep their tensors in external files.
const MAX_MODEL_BYTES = 2 ** 31;

export interface OnnxModel {
  proto: ModelProto;
  graph: GraphProto;
  path: string;
  /** Folder that external data is relative to. */
  folder: string;
  /** External data files, relative to the folder, sorted; empty when all tensors are inside the model. */
  externalFiles: string[];
}

/**
 * Reads a model. Unknown protobuf fields are kept.
 * @throws DeltapayError `model/missing-file`, `model/malformed`, `model/too-large`, `model/external-data`
 */
export async function readOnnxModel(path: string): Promise<OnnxModel> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new DeltapayError("model/missing-file", `${path} cannot be read`, {
      field: path,
      hint: "name the ONNX file of the base model",
      cause,
    });
  });
  ensure(found.isFile(), "model/missing-file", `${path} is a folder, not a file`, {
    field: path,
    hint: "name the ONNX file of the base model",
  });
  if (found.size >= MAX_MODEL_BYTES)
    throw new DeltapayError("model/too-large", `${path} has ${found.size} bytes`, {
      field: path,
      hint: "save it with external data",
    });
  const proto = decode(await readFile(path), path);
  const graph = proto.graph;
  if (graph === undefined)
    throw new DeltapayError("model/malformed", `${path} holds no graph`, { field: path });
  const folder = dirname(resolve(path));
  const externalFiles = await checkExternalFiles(graph, folder);
  return { proto, graph, path, folder, externalFiles };
}

function decode(bytes: Uint8Array, path: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new DeltapayError("model/malformed", `${path} is not an ONNX model`, { field: path, cause });
  }
}

/**
 * SHA-256 that stands for the whole model, as lower-case hex: of the file, or, with external data, of the file's
 * SHA-256 followed by, for each external file in order of name, the SHA-256 of its name and of its bytes.
 */
export async function hashOnnxModel(model: OnnxModel): Promise<string> {
  const own = await hashFile(model.path);
  if (model.externalFiles.length === 0) return own.toString("hex");
  const whole = createHash("sha256").update(own);
  for (const name of model.externalFiles) {
    whole.update(createHash("sha256").update(name, "utf8").digest());
    whole.update(await hashFile(resolve(model.folder, name)));
  }
  return whole.digest("hex");
}

async function hashFile(path: string): Promise<Buffer> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest();
}

/** Every tensor of a graph and of the graphs inside its nodes. */
function* tensorsOf(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer;
  for (const node of graph.node)
    for (const attribute of node.attribute) {
      if (attribute.t !== undefined) yield attribute.t;
      yield* attribute.tensors;
      for (const inner of attribute.g === undefined ? attribute.graphs : [attribute.g])
        yield* tensorsOf(inner);
    }
}

async function checkExternalFiles(graph: GraphProto, folder: string): Promise<string[]> {
  const files = new Map<string, string>();
  for (const tensor of tensorsOf(graph)) {
    if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) continue;
    const location = tensor.externalData.find(({ key }) => key === "location")?.value ?? "";
    if (!files.has(location)) files.set(location, tensor.name);
  }
  for (const [location, tensor] of files) await checkInside(folder, location, tensor);
  return [...files.keys()].toSorted();
}

/** Resolves links too: a model must not make us read, hash or map files elsewhere. */
async function checkInside(folder: string, location: string, tensor: string): Promise<void> {
  const refuse = (message: string, cause?: unknown): never => {
    throw new DeltapayError("model/external-data", `tensor '${tensor}': ${message}`, {
      field: tensor,
      hint: "external data must lie in the model's folder",
      cause,
    });
  };
  const root = await realpath(folder);
  const target = await realpath(resolve(folder, location)).catch((cause: unknown) =>
    refuse(`its data file '${location}' cannot be read`, cause),
  );
  if (!target.startsWith(root + sep)) refuse(`'${location}' lies outside the model's folder`);
}
