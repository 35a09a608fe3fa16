/** Loads a PEFT LoRA adapter from its directory: adapter_config.json and adapter_model.safetensors. */
import { readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { DeltapayError } from "../protocol/errors.ts";
import { MAX_NAME } from "../protocol/layout.ts";
import { checkTargeted, type PeftConfig, parsePeftConfig, valueForModule } from "./peftConfig.ts";
import { parseSafetensors, type StoredTensor } from "./safetensors.ts";

const CONFIG = "adapter_config.json";
const WEIGHTS = "adapter_model.safetensors";
const MAX_CONFIG_BYTES = 2 ** 20;
const MAX_WEIGHTS_BYTES = 2 ** 31;

/** One targeted linear layer: Delta = scale * B * A * x. */
export interface AdapterModule {
  /** Path in the base model, e.g. `transformer.h.0.attn.c_attn`. */
  path: string;
  r: number;
  dIn: number;
  dOut: number;
  alpha: number;
  /** alpha / r, or alpha / sqrt(r) with use_rslora. */
  scale: number;
  /** r x dIn, row-major. */
  A: Float64Array;
  /** dOut x r, row-major. */
  B: Float64Array;
}

export interface PeftAdapter {
  /** Name of the directory. */
  name: string;
  config: PeftConfig;
  /** In natural order of their paths: layer 2 before layer 10. */
  modules: AdapterModule[];
}

/**
 * Reads and checks an adapter.
 * @param dir directory as written by PEFT's save_pretrained
 * @throws DeltapayError `adapter/...`, `safetensors/...` or `json/...`, naming the field or tensor at fault
 */
export async function loadPeftAdapter(dir: string): Promise<PeftAdapter> {
  const config = parsePeftConfig((await readBounded(dir, CONFIG, MAX_CONFIG_BYTES)).toString("utf8"));
  const tensors = parseSafetensors(await readBounded(dir, WEIGHTS, MAX_WEIGHTS_BYTES), WEIGHTS);
  const pairs = pairTensors(tensors);
  if (pairs.size === 0)
    throw new DeltapayError("adapter/no-modules", `${WEIGHTS} holds no LoRA module`, { field: WEIGHTS });
  const modules = [...pairs].map(([path, pair]) => buildModule(path, pair, config));
  refuseZero(modules);
  return {
    name: basename(resolve(dir)),
    config,
    modules: modules.toSorted((a, b) => comparePaths(a.path, b.path)),
  };
}

async function readBounded(dir: string, file: string, limit: number): Promise<Buffer> {
  const path = join(dir, file);
  const found = await stat(path).catch((cause: unknown) => {
    throw new DeltapayError("adapter/missing-file", `${path} cannot be read`, {
      field: file,
      hint: "give a directory written by PEFT's save_pretrained with safetensors (adapter_model.bin is not read)",
      cause,
    });
  });
  if (found.size > limit)
    throw new DeltapayError("adapter/file-too-large", `${path} has ${found.size} bytes, more than ${limit}`, {
      field: file,
    });
  return readFile(path);
}

interface Pair {
  A?: StoredTensor;
  B?: StoredTensor;
}

const TENSOR_NAME = /^base_model\.model\.(.+)\.lora_([AB])(?:\.([^.]+))?\.weight$/;

/** Sorts the tensors into modules; a tensor of any other kind is refused by name. */
function pairTensors(tensors: Map<string, StoredTensor>): Map<string, Pair> {
  const pairs = new Map<string, Pair>();
  const adapterNames = new Set<string>();
  for (const [name, tensor] of tensors) {
    const match = TENSOR_NAME.exec(name);
    if (match === null) refuseTensor(name);
    const [, path, side, adapter = ""] = match as unknown as [string, string, "A" | "B", string | undefined];
    if (path.length > MAX_NAME) failTensor("long-name", name, `a path of more than ${MAX_NAME} characters`);
    adapterNames.add(adapter);
    if (adapterNames.size > 1) failTensor("several-adapters", name, "the file holds more than one adapter");
    const pair = pairs.get(path) ?? {};
    pair[side] = tensor;
    pairs.set(path, pair);
  }
  return pairs;
}

function refuseTensor(name: string): never {
  if (name.includes("lora_embedding_"))
    failTensor("unsupported-tensor", name, "embedding layers cannot be served");
  if (name.includes("lora_magnitude_vector"))
    failTensor("unsupported-tensor", name, "DoRA rescales the base weight");
  failTensor("unsupported-tensor", name, "not a lora_A or lora_B weight");
}

function buildModule(path: string, pair: Pair, config: PeftConfig): AdapterModule {
  const nameOf = (side: string): string => `${path}.lora_${side}`;
  const [a, b] = (["A", "B"] as const).map((side) => {
    const tensor = pair[side];
    if (tensor === undefined)
      return failTensor("missing-tensor", nameOf(side), "its counterpart is there, it is not");
    if (tensor.shape.length !== 2 || tensor.shape.includes(0))
      failTensor(
        "unsupported-shape",
        nameOf(side),
        `shape [${tensor.shape}]; only linear layers, 2-D, can be served`,
      );
    return tensor;
  }) as [StoredTensor, StoredTensor];
  const [r, dIn] = a.shape as [number, number];
  const [dOut, columns] = b.shape as [number, number];
  if (columns !== r) failTensor("rank-mismatch", nameOf("B"), `has ${columns} columns, lora_A has ${r} rows`);
  checkTargeted(config, path);
  checkRank(path, r, config);
  const alpha = valueForModule(config.alphaPattern, path, config.alpha);
  return {
    path,
    r,
    dIn,
    dOut,
    alpha,
    scale: config.useRslora ? alpha / Math.sqrt(r) : alpha / r,
    A: finiteValues(a, nameOf("A")),
    B: finiteValues(b, nameOf("B")),
  };
}

function checkRank(path: string, r: number, config: PeftConfig): void {
  const expected = valueForModule(config.rankPattern, path, config.r);
  if (expected === r) return;
  const field = expected === config.r ? "r" : "rank_pattern";
  throw new DeltapayError("adapter/rank-mismatch", `${path} has rank ${r}, ${field} says ${expected}`, {
    field: `${CONFIG}: ${field}`,
    hint: "the config and the weights belong to different adapters",
  });
}

function finiteValues(tensor: StoredTensor, name: string): Float64Array {
  const values = tensor.values();
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) failTensor("not-finite", name, `entry ${at} is ${values[at]}`);
  return values;
}

/** A module whose A or B is all zero adds nothing, and its commitments would be those of an adapter never trained. */
function refuseZero(modules: AdapterModule[]): void {
  const zero = modules.filter(({ A, B }) => [A, B].some((matrix) => matrix.every((value) => value === 0)));
  if (zero.length === 0) return;
  const all = zero.length === modules.length;
  throw new DeltapayError(
    all ? "adapter/all-zero" : "adapter/zero-module",
    all
      ? "every module of the adapter is zero: it changes nothing"
      : `A or B of ${zero[0]!.path} is all zero`,
    { field: zero[0]!.path, hint: "was the adapter saved before it was trained?" },
  );
}

/** Dot by dot, numbers by value, everything else by code unit. */
function comparePaths(left: string, right: string): number {
  const [a, b] = [left.split("."), right.split(".")];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareParts(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareParts(a: string, b: string): number {
  if (a === b) return 0;
  const isNumber = /^\d+$/;
  if (isNumber.test(a) && isNumber.test(b) && Number(a) !== Number(b)) return Number(a) - Number(b);
  return a < b ? -1 : 1;
}

function failTensor(what: string, tensor: string, message: string): never {
  throw new DeltapayError(`adapter/${what}`, `${WEIGHTS}: ${tensor}: ${message}`, {
    field: `${WEIGHTS}: ${tensor}`,
  });
}
