/**
 * Reads PEFT's adapter_config.json and refuses, by field name, whatever would make Delta something other than
 * scale * B * A * x on an unchanged base model. PEFT adds fields with every release: one we do not know is refused
 * unless its value says "not used".
 */
import { DeltapayError } from "../protocol/errors.ts";
import { isRecord, parseJson } from "./json.ts";

const FILE = "adapter_config.json";

export interface PeftConfig {
  /** Default rank, and exceptions by module pattern. */
  r: number;
  rankPattern: Record<string, number>;
  /** Default alpha, and exceptions by module pattern. */
  alpha: number;
  alphaPattern: Record<string, number>;
  /** Scale alpha / sqrt(r) instead of alpha / r. */
  useRslora: boolean;
  /** Module name suffixes; null when the field is absent or a Python regular expression. */
  targetModules: string[] | null;
  /** Layer numbers the adapter is limited to; null for all. */
  layersToTransform: number[] | null;
  baseModel: string | null;
  peftVersion: string | null;
}

/** Fields that change training, bookkeeping or nothing at all: any value will do. */
const NEUTRAL = new Set([
  "auto_mapping",
  "base_model_name_or_path",
  "eva_config", // decides how A is initialised, never touches the base model
  "exclude_modules", // the tensors say which modules are targeted
  "fan_in_fan_out", // storage order of the base weight; Delta is the same
  "inference_mode",
  "layers_pattern",
  "lora_dropout", // training only
  "megatron_core",
  "peft_version",
  "qalora_group_size", // used with use_qalora only, which is refused
  "revision",
  "task_type",
]);

/** Initialisations that leave the base model as it is; pissa, olora, corda, loftq and lora_ga do not. */
const INITIALISATIONS = new Set<unknown>([true, false, null, "gaussian", "eva", "orthogonal"]);

const REASONS: Record<string, string> = {
  alora_invocation_tokens: "activated LoRA applies to some tokens only",
  arrow_config: "Arrow routes between several adapters",
  corda_config: "CorDA changes the base model",
  layer_replication: "it changes the base model's layers",
  loftq_config: "LoftQ changes the base model",
  lora_bias: "a bias on lora_B is not part of B * A * x",
  megatron_config: "Megatron layers are split over machines",
  modules_to_save: "fully trained modules are not low-rank",
  target_parameters: "parameters that are not linear layers cannot be served",
  trainable_token_indices: "trained embeddings are not linear layers",
  use_dora: "DoRA rescales the base weight",
  use_qalora: "QA-LoRA pools the input before A",
};

type Parser = (value: unknown, config: PeftConfig) => void;

/** Fields that are read, each with its parser. */
const READ: Record<string, Parser> = {
  peft_type: (value) => {
    if (value !== "LORA") refuse("peft_type", value, "only LORA is served");
  },
  bias: (value) => {
    if (value !== "none" && value !== null) refuse("bias", value, "trained biases are not low-rank");
  },
  init_lora_weights: (value) => {
    if (!INITIALISATIONS.has(value))
      refuse("init_lora_weights", value, "this initialisation changes the base model");
  },
  r: (value, config) => {
    config.r = rank(value, "r");
  },
  lora_alpha: (value, config) => {
    config.alpha = alpha(value, "lora_alpha");
  },
  rank_pattern: (value, config) => {
    config.rankPattern = pattern(value, "rank_pattern", rank);
  },
  alpha_pattern: (value, config) => {
    config.alphaPattern = pattern(value, "alpha_pattern", alpha);
  },
  use_rslora: (value, config) => {
    if (typeof value !== "boolean" && value !== null) malformed("use_rslora", value, "true or false");
    config.useRslora = value === true;
  },
  target_modules: (value, config) => {
    // A string is a Python regular expression (or "all-linear"): the tensors decide, there is nothing to compare.
    if (typeof value !== "string" && value !== null) config.targetModules = names(value, "target_modules");
  },
  layers_to_transform: (value, config) => {
    if (value !== null) config.layersToTransform = layers(value);
  },
};

/**
 * Parses the text of adapter_config.json.
 * @throws DeltapayError `adapter/unsupported-field`, `adapter/malformed-field`, `adapter/missing-field`, `json/...`
 */
export function parsePeftConfig(text: string): PeftConfig {
  const fields = parseJson(text, FILE);
  if (!isRecord(fields)) return malformed("", fields, "a JSON object");
  for (const required of ["peft_type", "r", "lora_alpha"])
    if (!Object.hasOwn(fields, required))
      throw new DeltapayError("adapter/missing-field", `${FILE} lacks ${required}`, {
        field: `${FILE}: ${required}`,
      });
  const config: PeftConfig = {
    r: 0,
    rankPattern: {},
    alpha: 0,
    alphaPattern: {},
    useRslora: false,
    targetModules: null,
    layersToTransform: null,
    baseModel: textOrNull(fields["base_model_name_or_path"]),
    peftVersion: textOrNull(fields["peft_version"]),
  };
  READ["peft_type"]!(fields["peft_type"], config);
  for (const [field, value] of Object.entries(fields)) {
    if (Object.hasOwn(READ, field)) READ[field]!(value, config);
    else if (!NEUTRAL.has(field) && !isUnused(value))
      refuse(field, value, REASONS[field] ?? "it is not known to leave Delta = scale * B * A * x");
  }
  return config;
}

/**
 * The value for a module: the first pattern that matches the end of its path, on a dot, as PEFT looks it up.
 * @returns the pattern's value or `fallback`
 */
export function valueForModule(patterns: Record<string, number>, path: string, fallback: number): number {
  const key = Object.keys(patterns).find((candidate) =>
    new RegExp(`^(?:.*\\.)?(?:${candidate})$`).test(path),
  );
  return key === undefined ? fallback : patterns[key]!;
}

/**
 * Checks a module found in the weights against the config's own list of targets.
 * @throws DeltapayError `adapter/unexpected-module`
 */
export function checkTargeted(config: PeftConfig, path: string): void {
  const unexpected = (field: string): never => {
    throw new DeltapayError(
      "adapter/unexpected-module",
      `the weights hold '${path}', which ${field} does not name`,
      {
        field: `${FILE}: ${field}`,
        hint: "the config and the weights belong to different adapters",
      },
    );
  };
  const { targetModules, layersToTransform } = config;
  if (targetModules !== null && !targetModules.some((name) => path === name || path.endsWith(`.${name}`)))
    unexpected("target_modules");
  const layerNumbers = path.split(".").filter((part) => /^\d+$/.test(part));
  if (layersToTransform !== null && !layerNumbers.some((layer) => layersToTransform.includes(Number(layer))))
    unexpected("layers_to_transform");
}

function isUnused(value: unknown): boolean {
  if (value === null || value === false || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return isRecord(value) && Object.keys(value).length === 0;
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function rank(value: unknown, field: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 1) malformed(field, value, "a positive integer");
  return value as number;
}

function alpha(value: unknown, field: string): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value === 0)
    malformed(field, value, "a number other than 0");
  return value as number;
}

// The part of regular expressions that Python and JavaScript read alike.
const PLAIN_PATTERN = /^(?:[\w\-.^$*+|[\]{},]|\((?!\?)|\)|\?|\\[.dw])+$/;

function pattern(
  value: unknown,
  field: string,
  parse: (value: unknown, field: string) => number,
): Record<string, number> {
  if (value === null) return {};
  if (!isRecord(value)) return malformed(field, value, "an object");
  for (const [key, entry] of Object.entries(value)) {
    parse(entry, `${field}.${key}`);
    if (!isPattern(key)) refuse(field, key, "this pattern cannot be read as Python would");
    if (!isQuick(key)) refuse(field, key, "this pattern may take for ever: write it with less to try");
  }
  return value as Record<string, number>;
}

const MAX_PATTERN = 256;
const MAX_REPEATS = 2;
const MAX_CHOICES = 6;

/** Ways to match multiply: with few repeats and choices, none inside another, trying them all ends soon. */
function isQuick(key: string): boolean {
  const count = (what: RegExp): number => key.match(what)?.length ?? 0;
  if (key.length > MAX_PATTERN || /\)[*+?{]/.test(key)) return false;
  return count(/[*+{]/g) <= MAX_REPEATS && count(/[*+?{(]/g) <= MAX_CHOICES;
}

function isPattern(key: string): boolean {
  if (!PLAIN_PATTERN.test(key)) return false;
  try {
    new RegExp(key);
    return true;
  } catch {
    return false;
  }
}

function names(value: unknown, field: string): string[] {
  if (!Array.isArray(value) || !value.every((name) => typeof name === "string"))
    return malformed(field, value, "a list of module names");
  return value;
}

function layers(value: unknown): number[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((layer) => Number.isSafeInteger(layer)))
    malformed("layers_to_transform", value, "layer numbers");
  return list as number[];
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function refuse(field: string, value: unknown, reason: string): never {
  throw new DeltapayError("adapter/unsupported-field", `${FILE}: ${field} is ${shown(value)}: ${reason}`, {
    field: `${FILE}: ${field}`,
    hint: "only plain LoRA adapters on an unchanged base model can be served",
  });
}

function malformed(field: string, value: unknown, expected: string): never {
  throw new DeltapayError(
    "adapter/malformed-field",
    `${FILE}: ${field} is ${shown(value)}, expected ${expected}`,
    {
      field: `${FILE}: ${field}`,
    },
  );
}
