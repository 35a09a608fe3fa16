/** Inputs that broke something once, and new ones for some seconds; `npm run fuzz` goes on for as long as it is let. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { corpusOf, targetsWithCorpus } from "./corpus.ts";
import { replay } from "./fuzzTarget.ts";
import { fuzz } from "./run.ts";
import { TARGET_NAMES } from "./targets.ts";
import { Watched } from "./watch.ts";

const watched = new Watched();
after(() => watched.close());

for (const target of targetsWithCorpus())
  for (const [name, input] of corpusOf(target))
    test(`${target}: the kept input ${name} breaks nothing`, async () => {
      assert.equal(await replay(watched, target, input), undefined);
    });

test("no parser breaks, hangs or takes memory beyond its limit", async () => {
  // The same inputs each time, so that nothing but a change breaks it; `npm run fuzz` tries new ones.
  const reports = await fuzz({ seconds: 8, seed: 1, jobs: 2 });
  assert.deepEqual(
    reports.map(({ name }) => name),
    TARGET_NAMES,
  );
  for (const { name, inputs, outcomes, crashes } of reports) {
    assert.deepEqual(crashes, [], name);
    // Less would say that nothing was tried, or that all was refused for one reason.
    assert.ok(inputs >= 3 && outcomes >= 2, `${name}: ${inputs} inputs, ${outcomes} kinds of outcome`);
  }
});
