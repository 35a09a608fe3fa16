import assert from "node:assert/strict";
import { test } from "node:test";
import {
  findStop,
  greedyToken,
  sampleToken,
  seededRandom,
  settledLength,
} from "../../runner/model/sampling.ts";
import { failure } from "../adapter/fixtures.ts";

const LOGITS = Float32Array.of(Math.log(1), Math.log(2), Math.log(5), Math.log(2));

function frequencies(temperature: number, topP: number): number[] {
  const random = seededRandom(3);
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 20_000; i++) counts[sampleToken(LOGITS, { temperature, topP }, random)]! += 1 / 20_000;
  return counts;
}

const near = (actual: number[], expected: number[]) =>
  assert.ok(
    actual.every((value, i) => Math.abs(value - expected[i]!) < 0.015),
    `${actual}`,
  );

test("greedy takes the largest logit, the first of equals", () => {
  assert.equal(greedyToken(LOGITS), 2);
  assert.equal(greedyToken(Float32Array.of(1, 3, 3)), 1);
  assert.equal(
    sampleToken(LOGITS, { temperature: 0, topP: 1 }, () => 0.999),
    2,
  );
});

test("sampling follows softmax of logits / temperature", () => {
  near(frequencies(1, 1), [0.1, 0.2, 0.5, 0.2]);
  near(frequencies(0.5, 1), [1 / 34, 4 / 34, 25 / 34, 4 / 34]);
});

test("top-p keeps the fewest most likely tokens that reach it", () => {
  near(frequencies(1, 0.5), [0, 0, 1, 0]);
  assert.equal(
    sampleToken(Float32Array.of(0, 0), { temperature: 1, topP: 0.5 }, () => 0.99),
    0,
  );
  near(frequencies(1, 0.6), [0, 2 / 7, 5 / 7, 0]);
  near(frequencies(1, 0.85), [0, 2 / 9, 5 / 9, 2 / 9]);
});

test("numbers are uniform, and the same for the same seed", () => {
  const [a, b, c] = [seededRandom(1), seededRandom(1), seededRandom(2)];
  const first = Array.from({ length: 1000 }, a);
  assert.deepEqual(first, Array.from({ length: 1000 }, b));
  assert.notDeepEqual(first, Array.from({ length: 1000 }, c));
  assert.ok(first.every((value) => value >= 0 && value < 1));
  for (let bin = 0; bin < 4; bin++) {
    const inside = first.filter((value) => Math.floor(4 * value) === bin).length;
    assert.ok(Math.abs(inside - 250) < 60);
  }
});

test("options of no sense and logits that are not finite are refused", () => {
  for (const options of [
    { temperature: -1, topP: 1 },
    { temperature: Number.NaN, topP: 1 },
  ])
    assert.throws(
      () => sampleToken(LOGITS, options, Math.random),
      failure("sampling/bad-option", "temperature"),
    );
  for (const topP of [0, 1.1, Number.NaN])
    assert.throws(
      () => sampleToken(LOGITS, { temperature: 1, topP }, Math.random),
      failure("sampling/bad-option", "topP"),
    );
  assert.throws(() => greedyToken(Float32Array.of(0, Number.NaN)), failure("sampling/not-finite"));
});

test("stop strings are found at their first place, and their beginnings held back", () => {
  assert.equal(findStop("abc END abc", ["abc E", "END", "x"]), 0);
  assert.equal(findStop("abc", ["x"]), undefined);
  assert.equal(settledLength("text EN", ["END", "zzz"]), 5);
  assert.equal(settledLength("aab", ["aba"]), 1);
  assert.equal(settledLength("text", ["END"]), 4);
});
