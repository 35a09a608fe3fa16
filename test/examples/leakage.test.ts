import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Oracle, type Recovered, recoverModule } from "../../examples/leakage/recover.ts";
import { loadPeftAdapter } from "../../runner/adapter/peft.ts";
import { answer, type QuantisedModule, quantiseAdapterModule } from "../../runner/protocol/quantise.ts";

const { modules } = await loadPeftAdapter(fileURLToPath(new URL("../../fixtures/kjv-attn", import.meta.url)));

/** Each rank-one part b_k * a_k as text, whatever the order and the common sign. */
function rankOneParts(A: number[][], B: number[][]): string[] {
  return A.map((row, k) => {
    const sign = Math.sign(row.find((value) => value !== 0)!);
    return JSON.stringify([row, B[k]!].map((part) => part.map((value) => value * sign + 0)));
  }).sort();
}

function partsOf({ Aq, Bq }: QuantisedModule, r: number, dIn: number, dOut: number): string[] {
  const A = Array.from({ length: r }, (_, k) => Array.from(Aq.subarray(k * dIn, (k + 1) * dIn)));
  const B = Array.from({ length: r }, (_, k) => Array.from({ length: dOut }, (_, j) => Bq[j * r + k]!));
  return rankOneParts(A, B);
}

for (const module of modules)
  test(`half of d_in exact answers give away ${module.path}`, async () => {
    const { r, dIn, dOut } = module;
    const weights = quantiseAdapterModule(module);
    let asked = 0;
    const oracle: Oracle = async (X, tokens) => {
      asked += tokens;
      return answer(weights.Aq, weights.Bq, X, tokens, dIn, dOut, r);
    };
    const found: Recovered | undefined = await recoverModule(oracle, module);
    assert.ok(found !== undefined);
    assert.equal(asked, Math.ceil(dIn / 2));
    assert.deepEqual(rankOneParts(found.A, found.B), partsOf(weights, r, dIn, dOut));
  });

test("rounded answers would not", async () => {
  const { r, dIn, dOut } = modules[0]!;
  const { Aq, Bq } = quantiseAdapterModule(modules[0]!);
  const rounded: Oracle = async (X, tokens) =>
    answer(Aq, Bq, X, tokens, dIn, dOut, r).map((value) => Math.round(value / 64) * 64);
  assert.equal(await recoverModule(rounded, modules[0]!), undefined);
});
