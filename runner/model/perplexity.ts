/** How well a model predicts a text. */
import { ensure } from "../protocol/errors.ts";
import type { Decoder } from "./decoder.ts";

export interface Perplexity {
  /** exp of the mean next-token cross entropy. */
  perplexity: number;
  predictions: number;
  /** Tokens the model ran on. */
  tokens: number;
}

export interface PerplexityOptions {
  /** Tokens a window; each starts from an empty context. Default 128. */
  window?: number;
  onWindow?: (done: number, windows: number) => void;
}

/**
 * Perplexity over consecutive windows; a last window of a single token predicts nothing and is left out.
 * @throws DeltapayError `perplexity/too-short`, and whatever a pass throws
 */
export async function perplexity(
  decoder: Decoder,
  ids: readonly number[],
  { window = 128, onWindow }: PerplexityOptions = {},
): Promise<Perplexity> {
  ensure(
    Number.isSafeInteger(window) && window > 1,
    "perplexity/bad-window",
    `a window of ${window} tokens`,
    {
      field: "window",
    },
  );
  ensure(ids.length > 1, "perplexity/too-short", "the text has fewer than 2 tokens", { field: "text" });
  const windows = Math.ceil((ids.length - 1) / window);
  let loss = 0;
  let predictions = 0;
  let tokens = 0;
  for (let w = 0; w < windows; w++) {
    const part = ids.slice(w * window, (w + 1) * window);
    decoder.reset();
    const { logits, vocabulary, tokensRun } = await decoder.forward(part);
    for (let t = 0; t + 1 < part.length; t++)
      loss += crossEntropy(logits.subarray(t * vocabulary, (t + 1) * vocabulary), part[t + 1]!);
    predictions += part.length - 1;
    tokens += tokensRun;
    onWindow?.(w + 1, windows);
  }
  return { perplexity: Math.exp(loss / predictions), predictions, tokens };
}

/** -log softmax(logits)[id] in float64. */
export function crossEntropy(logits: Float32Array, id: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (const logit of logits) max = Math.max(max, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - max);
  return Math.log(sum) + max - logits[id]!;
}
