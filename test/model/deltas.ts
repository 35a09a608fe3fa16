/** Deltas of real adapters computed in place: exact in float64, or by the protocol's integers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type AdapterModule, loadPeftAdapter } from "../../runner/adapter/peft.ts";
import type { DeltaRequest, OnTargets, Target } from "../../runner/model/cutModel.ts";
import {
  answer,
  dequantise,
  type QuantisedModule,
  quantiseActivations,
  quantiseAdapterModule,
} from "../../runner/protocol/quantise.ts";
import { adapterDir, FIXTURES } from "../adapter/fixtures.ts";

export interface Case {
  adapters: string[];
  perplexity_kjv: number;
  greedy: string;
  last_logits: number[];
}

export const reference = JSON.parse(readFileSync(join(FIXTURES, "reference.json"), "utf8")) as {
  prompt: string;
  prompt_ids: number[];
  window_ids: number[];
  eval_text: string;
  eval_ids: number[];
  cases: Record<string, Case>;
};

export type Modules = ReadonlyMap<string, AdapterModule>;

/** Modules of fixture adapters by `<adapter>/<path>`. */
export async function loadModules(adapters: readonly string[]): Promise<Modules> {
  const loaded = await Promise.all(adapters.map((name) => loadPeftAdapter(adapterDir(name))));
  return new Map(
    loaded.flatMap(({ name, modules }) => modules.map((module) => [`${name}/${module.path}`, module])),
  );
}

export function targetsOf(modules: Modules): Target[] {
  return [...modules].map(([key, { path, dIn, dOut }]) => ({ key, modulePath: path, dIn, dOut }));
}

/** scale * B * A * x in float64. */
export function exactDelta(
  { A, B, r, dIn, dOut, scale }: AdapterModule,
  x: Float32Array,
  tokens: number,
): Float32Array {
  const delta = new Float32Array(tokens * dOut);
  for (let t = 0; t < tokens; t++) {
    const h = new Float64Array(r);
    for (let k = 0; k < r; k++) for (let i = 0; i < dIn; i++) h[k]! += A[k * dIn + i]! * x[t * dIn + i]!;
    for (let j = 0; j < dOut; j++) {
      let y = 0;
      for (let k = 0; k < r; k++) y += B[j * r + k]! * h[k]!;
      delta[t * dOut + j] = scale * y;
    }
  }
  return delta;
}

function answering(modules: Modules, delta: (key: string, request: DeltaRequest) => Float32Array): OnTargets {
  return async (requests) =>
    new Map(
      requests.flatMap((request) =>
        request.targets.filter((key) => modules.has(key)).map((key) => [key, delta(key, request)] as const),
      ),
    );
}

export function exactDeltas(modules: Modules): OnTargets {
  return answering(modules, (key, { x, tokens }) => exactDelta(modules.get(key)!, x, tokens));
}

export function zeroDeltas(modules: Modules): OnTargets {
  return answering(modules, (key, { tokens }) => new Float32Array(tokens * modules.get(key)!.dOut));
}

/** What buyer and contributor compute between them. */
export function quantisedDeltas(modules: Modules): OnTargets {
  const quantised = new Map<string, QuantisedModule>(
    [...modules].map(([key, m]) => [key, quantiseAdapterModule(m)]),
  );
  return answering(modules, (key, { x, tokens, dIn }) => {
    const { dOut, r } = modules.get(key)!;
    const { Aq, Bq, b } = quantised.get(key)!;
    const { X, sigma } = quantiseActivations(x, tokens, dIn);
    return dequantise(answer(Aq, Bq, X, tokens, dIn, dOut, r), sigma, b, tokens, dOut);
  });
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
