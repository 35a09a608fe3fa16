/** PEFT adapters: files that somebody else may have written. */
import * as fs from "node:fs";
import * as path from "node:path";
import { loadPeftAdapter } from "../../../runner/adapter/peft.ts";
import { parsePeftConfig, valueForModule } from "../../../runner/adapter/peftConfig.ts";
import { parseSafetensors } from "../../../runner/adapter/safetensors.ts";
import { FIXTURES } from "../../../runner/demo/fixtures.ts";
import { concatBytes, u32, uintLE } from "../../../runner/protocol/bytes.ts";
import { mutateBytes } from "../mutateBytes.ts";
import { generateJson, mutateJson } from "../mutateJson.ts";
import { bytesOf, type FuzzTarget, type Mutator, textOf } from "../target.ts";
import { fuzzFolder } from "./folder.ts";

const PATH = "base_model.model.transformer.h.0.attn.c_attn";

/** A module of rank 2 in each type of numbers. */
function smallWeights(dtype: "F32" | "F16" | "BF16", width: number): Uint8Array {
  const header = JSON.stringify({
    __metadata__: { format: "pt" },
    [`${PATH}.lora_A.weight`]: { dtype, shape: [2, 5], data_offsets: [0, 10 * width] },
    [`${PATH}.lora_B.weight`]: { dtype, shape: [4, 2], data_offsets: [10 * width, 18 * width] },
  });
  const data = Uint8Array.from({ length: 18 * width }, (_, i) => 17 * i + 1);
  return concatBytes(uintLE(BigInt(header.length), 8), bytesOf(header), data);
}

/** Changes the header's JSON and has its length follow. */
const mutateHeader: Mutator = (input, random) => {
  if (input.length < 8) return input;
  const end = 8 + new DataView(input.buffer, input.byteOffset).getUint32(0, true);
  const header = mutateJson(input.slice(8, end), random);
  return concatBytes(uintLE(BigInt(header.length), 8), header, input.slice(end));
};

const CONFIGS = Object.values(FIXTURES.adapters).map(
  (folder) => new Uint8Array(fs.readFileSync(path.join(folder, "adapter_config.json"))),
);
const PATTERNS = bytesOf(
  JSON.stringify({
    ...{ peft_type: "LORA", r: 2, lora_alpha: 16, use_rslora: true, target_modules: ["c_attn"] },
    rank_pattern: { "^transformer\\.h\\.(0|1)\\.attn": 2, "h.[0-9]+.attn.c_attn": 4 },
    alpha_pattern: { ".*c_attn": 8 },
    layers_to_transform: [0],
  }),
);

/** Both files as one input: length of the first, the first, the second. */
const pair = (config: Uint8Array, weights: Uint8Array): Uint8Array =>
  concatBytes(u32(config.length), config, weights);

function split(input: Uint8Array): [config: Uint8Array, weights: Uint8Array] {
  const length = input.length < 4 ? 0 : new DataView(input.buffer, input.byteOffset).getUint32(0, true);
  return [input.subarray(4, 4 + length), input.subarray(4 + length)];
}

const mutatePair: Mutator = (input, random) => {
  const [config, weights] = split(input);
  if (random.next() < 0.6) return pair(mutateJson(config, random), weights);
  if (random.next() < 0.6) return pair(config, mutateHeader(weights, random));
  return pair(config, mutateBytes(weights, random, config));
};

/** Text of a layer's path with much to try for an expression that tries it all. */
const PATHS = ["transformer.h.0.attn.c_attn", "a.".repeat(100), "a".repeat(200)];

export function targets(): FuzzTarget[] {
  const folder = fuzzFolder();
  return [
    {
      name: "safetensors",
      seeds: [smallWeights("F32", 4), smallWeights("F16", 2), smallWeights("BF16", 2)],
      mutators: [mutateHeader],
      run: (input) => {
        for (const tensor of parseSafetensors(input, "weights").values()) tensor.values();
      },
    },
    {
      name: "peft-config",
      seeds: [...CONFIGS, PATTERNS],
      mutators: [mutateJson],
      generate: generateJson,
      run: (input) => {
        const { rankPattern, alphaPattern, r, alpha } = parsePeftConfig(textOf(input));
        for (const module of PATHS) {
          valueForModule(rankPattern, module, r);
          valueForModule(alphaPattern, module, alpha);
        }
      },
    },
    {
      name: "peft-adapter",
      seeds: [pair(PATTERNS, smallWeights("F32", 4)), pair(CONFIGS[0]!, smallWeights("F16", 2))],
      mutators: [mutatePair],
      run: async (input) => {
        const [config, weights] = split(input);
        fs.writeFileSync(path.join(folder, "adapter_config.json"), config);
        fs.writeFileSync(path.join(folder, "adapter_model.safetensors"), weights);
        await loadPeftAdapter(folder);
      },
    },
  ];
}
