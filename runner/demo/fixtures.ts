/** The real input of demo and attacks: a tiny GPT-2, its adapters, reference outputs (fixtures/README.md). */
import { fileURLToPath } from "node:url";

const at = (name: string): string => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));

export const FIXTURES = {
  model: at("base/model_with_past.onnx"),
  tokenizer: at("base/tokenizer.json"),
  text: at("held-out.txt"),
  reference: at("reference.json"),
  adapters: { "kjv-attn": at("kjv-attn"), "kjv-proj": at("kjv-proj") },
} as const;
