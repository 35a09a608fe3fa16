import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { layoutModules } from "../../runner/protocol/layout.ts";
import {
  extractionTokens,
  leakageOf,
  leastPrice,
  MAX_TRACKED_WIDTH,
  mostExposedModule,
  RankTracker,
} from "../../runner/protocol/leakage.ts";
import { failsWith } from "../buyer/serve.ts";
import { SHAPES } from "../buyer/setting.ts";

const layout = layoutModules(
  SHAPES.map((shape, m) => ({ ...shape, name: `layer.${m}` })),
  14,
);

/** Rank over the rationals by fraction-free elimination in BigInt: the definition. */
function plainRank(X: Int16Array, width: number): number {
  const rows = Array.from({ length: X.length / width }, (_, t) =>
    Array.from(X.subarray(t * width, (t + 1) * width), BigInt),
  );
  let rank = 0;
  for (let column = 0; column < width && rank < rows.length; column++) {
    const at = rows.findIndex((row, t) => t >= rank && row[column] !== 0n);
    if (at < 0) continue;
    [rows[rank], rows[at]] = [rows[at]!, rows[rank]!];
    const pivot = rows[rank]!;
    for (const row of rows.slice(rank + 1)) {
      const factor = row[column]!;
      for (let i = 0; i < width; i++) row[i] = row[i]! * pivot[column]! - factor * pivot[i]!;
    }
    rank++;
  }
  return rank;
}

test("the rank of the activations shown is the plain rank, however they are portioned", () => {
  const entry = fc.oneof(fc.integer({ min: -32767, max: 32767 }), fc.constantFrom(-32767, 0, 1, 32767));
  const inputs = fc.integer({ min: 1, max: 8 }).chain((width) =>
    fc.record({
      width: fc.constant(width),
      rows: fc.array(fc.array(entry, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      combinations: fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 6 }),
    }),
  );
  fc.assert(
    fc.property(inputs, ({ width, rows, combinations }) => {
      const sums = combinations.map(([a, b]) =>
        rows[a % rows.length]!.map(
          (x, i) => Math.trunc(x / 4) * 2 + Math.trunc(rows[b % rows.length]![i]! / 4),
        ),
      );
      const X = Int16Array.from([...rows, ...sums].flat());
      const whole = new RankTracker(width);
      const added = whole.add(X);
      assert.equal(whole.rank, plainRank(X, width));
      assert.equal(added.length, whole.rank);
      const first = new RankTracker(width);
      const kept = first.add(X.subarray(0, width));
      const resumed = new RankTracker(width, kept);
      resumed.add(X.subarray(width));
      assert.equal(resumed.rank, whole.rank);
    }),
    { numRuns: 200 },
  );
});

test("a wide, full matrix of extremes stays exact", () => {
  const width = 300;
  const X = Int16Array.from({ length: width * width }, (_, at) => {
    const [t, i] = [Math.floor(at / width), at % width];
    return t === i ? -32767 : 32767;
  });
  const tracker = new RankTracker(width);
  tracker.add(X);
  assert.equal(tracker.rank, width);
  assert.deepEqual(tracker.add(X), []);
});

test("widths beyond the limit are not tracked, rows of another width are refused", () => {
  const tracker = new RankTracker(MAX_TRACKED_WIDTH + 1);
  assert.deepEqual(tracker.add(new Int16Array(MAX_TRACKED_WIDTH + 1).fill(1)), []);
  assert.equal(tracker.rank, null);
  const row = { pivot: 0, row: Int32Array.of(1, 0) };
  assert.throws(() => new RankTracker(3, [row]), failsWith("session/bad-state"));
});

test("the narrowest module is given away first", () => {
  assert.equal(mostExposedModule(layout), 0);
  assert.equal(extractionTokens(layout), 3);
  assert.deepEqual(
    [1n, 30n, 31n].map((worth) => leastPrice(layout, worth)),
    [1n, 10n, 11n],
  );
  assert.deepEqual(leakageOf(layout, 6, 5), { tokensSold: 6, dInHalf: 3, ratio: 2, rank: 5 });
});
