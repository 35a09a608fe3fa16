/** Choosing the next token. Pure and, given a seed, reproducible. */
import { ensure } from "../protocol/errors.ts";

export interface SamplingOptions {
  /** 0 takes the most likely token; larger is more varied. */
  temperature: number;
  /** Samples from the fewest most likely tokens whose probabilities add up to this; 1 keeps all. */
  topP: number;
}

/** Uniform numbers in [0, 1). */
export type Random = () => number;

/**
 * xoshiro128** seeded by splitmix32.
 * @param seed any integer; its lowest 32 bits count
 */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  const splitmix = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  const s = Uint32Array.from({ length: 4 }, splitmix);
  return () => {
    const product = Math.imul(s[1]!, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result / 2 ** 32;
  };
}

/** Index of the largest logit, the first of equals. @throws DeltapayError `sampling/not-finite` */
export function greedyToken(logits: Float32Array): number {
  let best = 0;
  for (let i = 0; i < logits.length; i++) {
    checkLogit(logits[i]!, i);
    if (logits[i]! > logits[best]!) best = i;
  }
  return best;
}

/**
 * Draws the next token.
 * @throws DeltapayError `sampling/bad-option`, `sampling/not-finite`
 */
export function sampleToken(logits: Float32Array, options: SamplingOptions, random: Random): number {
  checkSampling(options);
  const best = greedyToken(logits);
  if (options.temperature === 0) return best;
  const weights = Float64Array.from(logits, (logit) =>
    Math.exp((logit - logits[best]!) / options.temperature),
  );
  const order = [...weights.keys()].toSorted((a, b) => weights[b]! - weights[a]! || a - b);
  const kept = nucleus(order, weights, options.topP);
  const total = kept.reduce((sum, id) => sum + weights[id]!, 0);
  let left = random() * total;
  for (const id of kept) {
    left -= weights[id]!;
    if (left < 0) return id;
  }
  return kept.at(-1)!;
}

/** @throws DeltapayError `sampling/bad-option` */
export function checkSampling({ temperature, topP }: SamplingOptions): void {
  ensure(
    Number.isFinite(temperature) && temperature >= 0,
    "sampling/bad-option",
    `temperature is ${temperature}`,
    {
      field: "temperature",
      hint: "give 0 or more",
    },
  );
  ensure(topP > 0 && topP <= 1, "sampling/bad-option", `top-p is ${topP}`, {
    field: "topP",
    hint: "give more than 0, at most 1",
  });
}

/** The shortest run of the most likely ids whose share of the total reaches topP. */
function nucleus(order: number[], weights: Float64Array, topP: number): number[] {
  if (topP === 1) return order;
  const enough = topP * weights.reduce((sum, weight) => sum + weight, 0);
  let count = 0;
  for (let sum = 0; count < order.length && sum < enough; count++) sum += weights[order[count]!]!;
  return order.slice(0, count);
}

function checkLogit(logit: number, id: number): void {
  ensure(Number.isFinite(logit), "sampling/not-finite", `the logit of token ${id} is ${logit}`, {
    field: "logits",
  });
}

/** Where the first stop string begins in `text`; undefined when there is none. */
export function findStop(text: string, stops: readonly string[]): number | undefined {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length === 0 ? undefined : Math.min(...found);
}

/** Length of the part of `text` that no stop string can still begin in: safe to show before more text comes. */
export function settledLength(text: string, stops: readonly string[]): number {
  let settled = text.length;
  for (const stop of stops)
    for (let length = Math.min(stop.length - 1, text.length); length > 0; length--)
      if (text.endsWith(stop.slice(0, length))) {
        settled = Math.min(settled, text.length - length);
        break;
      }
  return settled;
}
