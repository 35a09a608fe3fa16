/** Both parties' real processes are killed; the money stays right. `npm run test:kill` does it hundreds of times. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type KillFigures, killAndResume } from "./harness.ts";

function checkFigures(figures: KillFigures): void {
  assert.deepEqual(figures.errors, []);
  assert.equal(figures.moneyErrors, 0);
  assert.equal(figures.doublePaid, 0);
  assert.equal(figures.resumed, figures.kills);
  assert.ok(figures.unpaidTokensMax > 0 && figures.unpaidTokensMax <= figures.maxUnpaidTokens);
}

/** A moment after something left a party: what it must have kept by then. */
const AFTER_IT_LEFT = [
  { role: "open", step: "after sending a transaction", nth: 1 },
  { role: "use", step: "after sending POST /v1/session/passes/*", nth: 2 },
  { role: "use", step: "after sending POST /v1/session/receipts", nth: 1 },
  { role: "serve", step: "after answering POST /v1/session/receipts", nth: 1 },
  { role: "serve", step: "after answering POST /v1/session/passes/*", nth: 2 },
  { role: "settle", step: "after sending a transaction", nth: 1 },
];

test("killed just after a deposit, a pass, a receipt or a settlement left, either party goes on with it", async () => {
  const figures = await killAndResume({
    kills: AFTER_IT_LEFT.length,
    seed: 1,
    lanes: 1,
    exactly: AFTER_IT_LEFT,
  });
  checkFigures(figures);
  const killed = Object.entries(figures.steps).filter(([, kills]) => kills > 0);
  assert.deepEqual(
    new Map(killed),
    new Map([...AFTER_IT_LEFT].map(({ role, step }): [string, number] => [`${role}: ${step}`, 1]).sort()),
  );
});

test("killed at steps found by watching, and at random, both parties go on", async () => {
  const figures = await killAndResume({ kills: 4, seed: 2 });
  checkFigures(figures);
  assert.ok(figures.kills >= 4);
  // The steps are those that were seen: every kind of them must have been.
  for (const kind of [
    "serve: before storing insert proof",
    "serve: before answering POST /v1/session/receipts",
    "use: before storing insert receipt",
    "use: before sending POST /v1/session/passes/*",
    "open: before storing insert agreement",
    "settle: before sending a transaction",
  ])
    assert.ok(kind in figures.steps, kind);
});
