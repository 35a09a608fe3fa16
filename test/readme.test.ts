import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import gas from "./contracts/gas.json" with { type: "json" };

const read = (place: string): string => fs.readFileSync(new URL(`../${place}`, import.meta.url), "utf8");
const figure = (value: number): string => value.toLocaleString("en-US");

test("the gas that README.md and the comparison quote is the gas that is measured", () => {
  const settle = gas.settle["1"].total;
  const all = gas.register + gas.open + settle;
  const quoted = `${figure(settle)} with signature, state and payment; ${figure(all)} with registration and opening`;
  assert.ok(read("README.md").includes(quoted), quoted);
  const comparison = read("scripts/compare/README.md");
  assert.ok(comparison.includes(`${figure(settle)}; ${gas.settle["1"].calldata} |`));
  assert.ok(comparison.includes(`${figure(gas.settle["24"].perProof)} gas with 24 proofs`));
});
