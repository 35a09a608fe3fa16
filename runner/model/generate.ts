/** Continues a text token by token. */
import { DeltapayError, ensure } from "../protocol/errors.ts";
import type { Decoder } from "./decoder.ts";
import {
  checkSampling,
  findStop,
  type SamplingOptions,
  sampleToken,
  seededRandom,
  settledLength,
} from "./sampling.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface GenerateOptions extends SamplingOptions {
  prompt: string;
  /** Most tokens to add. */
  maxTokens: number;
  /** Makes sampling reproducible. */
  seed: number;
  /** Text that ends the generation; not part of the result. */
  stop: readonly string[];
  /** Token ids that end the generation. */
  endIds: readonly number[];
  /** Called with each settled piece of new text. */
  onText?: (piece: string) => void;
  /**
   * Called before each pass with the tokens it will run on. What it throws refuses the first pass; before a later one it ends
   * the text, which is paid for so far.
   */
  beforePass?: (tokens: number) => void;
  /** Ends the generation before the next pass. */
  signal?: AbortSignal;
}

export interface Generated {
  /** Prompt and continuation. */
  text: string;
  /** Ids of both. */
  ids: number[];
  /** Tokens added. */
  added: number;
  /** `budget`: the next pass was refused by `beforePass`. */
  reason: "length" | "stop" | "end" | "budget";
}

/**
 * Generates from a fresh context.
 * @throws DeltapayError `generate/bad-option`, `generate/empty-prompt`, the signal's reason, and whatever a pass throws
 */
export async function generate(
  decoder: Decoder,
  tokenizer: Tokenizer,
  options: GenerateOptions,
): Promise<Generated> {
  checkOptions(options);
  const random = seededRandom(options.seed);
  const prompt = tokenizer.encode(options.prompt);
  if (prompt.length === 0)
    throw new DeltapayError("generate/empty-prompt", "the prompt has no tokens", { field: "prompt" });
  const added: number[] = [];
  const start = tokenizer.decode(prompt).length;
  let shown = start;
  let text = "";
  const result = (reason: Generated["reason"], end = text.length): Generated => {
    if (end > shown) options.onText?.(text.slice(shown, end));
    return { text: text.slice(0, end), ids: [...prompt, ...added], added: added.length, reason };
  };
  decoder.reset();
  let next = prompt;
  text = tokenizer.decode(prompt);
  while (added.length < options.maxTokens) {
    options.signal?.throwIfAborted();
    try {
      options.beforePass?.(decoder.tokensToRun(next.length));
    } catch (error) {
      if (added.length === 0) throw error;
      return result("budget");
    }
    const { logits, vocabulary } = await decoder.forward(next);
    const id = sampleToken(logits.subarray(-vocabulary), options, random);
    if (options.endIds.includes(id)) return result("end");
    added.push(id);
    next = [id];
    text = tokenizer.decode([...prompt, ...added]);
    const stop = findStop(text.slice(start), options.stop);
    if (stop !== undefined) return result("stop", start + stop);
    const settled = Math.max(shown, settledPrefix(text, options.stop));
    if (settled > shown) options.onText?.(text.slice(shown, settled));
    shown = settled;
  }
  return result("length");
}

/** Holds back a character whose bytes have not all come, which decodes to U+FFFD, and a stop string's beginning. */
function settledPrefix(text: string, stops: readonly string[]): number {
  let whole = text.length;
  while (text[whole - 1] === "\ufffd") whole--;
  return settledLength(text.slice(0, whole), stops);
}

function checkOptions(options: GenerateOptions): void {
  checkSampling(options);
  const { maxTokens, seed, stop } = options;
  ensure(
    Number.isSafeInteger(maxTokens) && maxTokens > 0,
    "generate/bad-option",
    `max tokens is ${maxTokens}`,
    {
      field: "maxTokens",
    },
  );
  ensure(Number.isSafeInteger(seed), "generate/bad-option", `the seed is ${seed}, not an integer`, {
    field: "seed",
  });
  ensure(!stop.includes(""), "generate/bad-option", "an empty stop string ends every text", {
    field: "stop",
  });
}
