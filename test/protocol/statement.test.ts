import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "../../runner/protocol/bytes.ts";
import { P } from "../../runner/protocol/field.ts";
import type { Pass } from "../../runner/protocol/fold.ts";
import { xofAt } from "../../runner/protocol/hash.ts";
import { decodeState, encodeState } from "../../runner/protocol/sessionState.ts";
import {
  buyerStatements,
  columnSums,
  groupWitness,
  witnessStatement,
} from "../../runner/protocol/statement.ts";
import { foldWeights } from "../../runner/protocol/transcript.ts";
import {
  blindsOf,
  honestPass,
  play,
  type Scenario,
  type Shape,
  scenario,
  terminateCurveAfterwards,
} from "./scenario.ts";

terminateCurveAfterwards();

const SHAPES: Shape[] = [
  { dIn: 9, dOut: 5, r: 4, group: 0 },
  { dIn: 9, dOut: 1, r: 3, group: 0 },
  { dIn: 1, dOut: 6, r: 2, group: 1 },
  { dIn: 3, dOut: 2, r: 1, group: 1 },
];

const inner = (a: readonly bigint[], b: readonly bigint[]): bigint =>
  ((a.reduce((sum, value, k) => sum + value * b[k]!, 0n) % P) + P) % P;

async function bothSides(world: Scenario, passes: readonly Pass[]) {
  const { curve, key, checked, input } = world;
  const state = play(world, passes);
  const sums = await columnSums(curve, checked.commitments);
  const buyer = await buyerStatements(curve, key, checked.layout, checked.commitments, sums, state);
  const witnesses = buyer.map((_, g) =>
    groupWitness(checked.layout, input.modules, blindsOf(input), state, g),
  );
  const contributor = await Promise.all(witnesses.map((witness) => witnessStatement(curve, key, witness)));
  return { state, buyer, contributor, witnesses };
}

describe("the fold", () => {
  const cases: [string, Shape[], (() => number)?, (() => number)?][] = [
    ["random values", SHAPES],
    ["all weights 127, all activations 32767", SHAPES, () => 127, () => 32767],
    ["all weights -127, all activations -32767", SHAPES, () => -127, () => -32767],
    [
      "mixed extremes",
      SHAPES,
      () => (Math.random() < 0.5 ? -127 : 127),
      () => (Math.random() < 0.5 ? -32767 : 32767),
    ],
    ["zero weights", SHAPES, () => 0],
    ["a module that fills the key", [{ dIn: 4, dOut: 3, r: 14, group: 0 }]],
    ["d_in = d_out = r = 1", [{ dIn: 1, dOut: 1, r: 1, group: 0 }]],
  ];
  for (const [name, shapes, weight, activation] of cases)
    test(`agrees with B A x over many tokens and passes: ${name}`, async () => {
      const world = await scenario(shapes, 14, weight);
      const passes = [3, 1, 40, 7].map((tokens) => honestPass(world.input, tokens, activation));
      const { state, buyer, contributor, witnesses } = await bothSides(world, passes);
      assert.equal(state.tokens, 51);
      assert.deepEqual(buyer.map(toHex), contributor.map(toHex));
      for (const { yhat, h, s } of witnesses) assert.equal(inner(s, h), yhat);
      for (const [m, { Aq, Bq, dIn, dOut, r }] of world.input.modules.entries())
        for (let j = 0; j < dOut; j++) {
          let y = 0n;
          for (let k = 0; k < r; k++) {
            let h = 0n;
            for (let i = 0; i < dIn; i++) h += BigInt(Aq[k * dIn + i]!) * state.xBar[m]![i]!;
            y += BigInt(Bq[j * r + k]!) * h;
          }
          assert.equal(state.yBar[m]![j], y);
        }
    });

  test("equals a plain BigInt sum of rho_t x_t, for passes of more tokens than add up at once", async () => {
    const world = await scenario([{ dIn: 2, dOut: 1, r: 1, group: 0 }], 14, () => 127);
    const passes = [honestPass(world.input, 2500, () => -32767), honestPass(world.input, 3)];
    const expected = { x: [0n, 0n], y: 0n };
    for (const [p, pass] of passes.entries()) {
      const { head } = play(world, passes.slice(0, p + 1));
      const rho = foldWeights(head, 0, pass.tokens);
      for (let t = 0; t < pass.tokens; t++) {
        for (const i of [0, 1] as const) expected.x[i]! += xofAt(rho, t) * BigInt(pass.X[0]![2 * t + i]!);
        expected.y += xofAt(rho, t) * BigInt(pass.Y[0]![t]!);
      }
    }
    const state = play(world, passes);
    assert.deepEqual(state.xBar[0], expected.x);
    assert.equal(state.yBar[0]![0], expected.y);
  });

  test("survives its database form", async () => {
    const world = await scenario(SHAPES, 14);
    const state = play(world, [honestPass(world.input, 5)]);
    const { layout } = world.checked;
    assert.deepEqual(decodeState(layout, encodeState(state)), state);
    assert.throws(() => decodeState(layout, encodeState(state).subarray(1)), { code: "session/bad-state" });
  });
});

describe("a wrong answer", () => {
  test("one element at one token changes both sides' statement and leaves no witness", async () => {
    const world = await scenario(SHAPES, 14);
    const passes = [honestPass(world.input, 3), honestPass(world.input, 4)];
    passes[1]!.Y[1]![2]! += 1;
    const { buyer, contributor, witnesses } = await bothSides(world, passes);
    assert.deepEqual(buyer.map(toHex), contributor.map(toHex));
    assert.notEqual(inner(witnesses[0]!.s, witnesses[0]!.h), witnesses[0]!.yhat);
    assert.equal(inner(witnesses[1]!.s, witnesses[1]!.h), witnesses[1]!.yhat);
  });

  test("an error in one module is not hidden by one in another of the same group", async () => {
    const world = await scenario(SHAPES, 14);
    const pass = honestPass(world.input, 2);
    pass.Y[0]![0]! += 1;
    pass.Y[1]![0]! -= 1;
    const { witnesses } = await bothSides(world, [pass]);
    assert.notEqual(inner(witnesses[0]!.s, witnesses[0]!.h), witnesses[0]!.yhat);
    // errors that would cancel in the folded answers, if every output had the same weight
    const honest = play(world, [honestPass(world.input, 2)]);
    const yBar = honest.yBar.map((row) => [...row]);
    yBar[0]![0]! += 1n;
    yBar[1]![0]! -= 1n;
    const { h, s, yhat } = groupWitness(
      world.checked.layout,
      world.input.modules,
      blindsOf(world.input),
      { ...honest, yBar },
      0,
    );
    assert.notEqual(inner(s, h), yhat);
  });

  test("weights swapped after registration give another statement", async () => {
    const world = await scenario(SHAPES, 14);
    const swapped = {
      ...world.input.modules[0]!,
      Aq: world.input.modules[0]!.Aq.map((w) => (w === 127 ? 0 : w + 1)),
    };
    const input = { ...world.input, modules: [swapped, ...world.input.modules.slice(1)] };
    const { buyer, contributor } = await bothSides({ ...world, input }, [honestPass(input, 3)]);
    assert.notEqual(toHex(buyer[0]!), toHex(contributor[0]!));
    assert.equal(toHex(buyer[1]!), toHex(contributor[1]!));
  });
});
