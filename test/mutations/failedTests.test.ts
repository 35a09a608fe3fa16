import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { failedTests } from "../../scripts/failedTests.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

const REPORTER = new URL("../../scripts/failedTests.ts", import.meta.url).href;
const IMPORTS = 'import { after, test } from "node:test";\nimport assert from "node:assert/strict";\n';

for (const [what, source, failed] of [
  ["a test that fails", 'test("checked", () => assert.equal(1, 2));', ["checked"]],
  ["a test that throws", 'test("checked", () => JSON.parse(undefined.text));', ["checked"]],
  [
    "a test in a test",
    'test("checked outer", (t) => t.test("checked", () => assert.equal(1, 2)));',
    ["checked"],
  ],
  ["a file that is no code", 'test("checked", () => { const left = ; });', []],
  ["a file whose import is not there", 'import "./missing.ts";\ntest("checked", () => {});', []],
  ["a file that throws while it loads", 'test("checked", () => {});\nthrow new Error("early");', []],
  ["a file that ends by itself", 'test("checked", async () => process.exit(3));', []],
  ["a name that is not defined", 'test("checked", () => assert.ok(undefinedName));', []],
  ["a failing hook", 'after(() => { throw new Error("late"); });\ntest("checked", () => {});', []],
] as const)
  test(`the run of ${what} ${failed.length === 0 ? "is no failed test" : "is a failed test"}`, (context) => {
    const directory = temporaryDirectory(context);
    fs.writeFileSync(path.join(directory, "checked.test.ts"), IMPORTS + source);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout } = spawnSync(
      process.execPath,
      ["--test", `--test-reporter=${REPORTER}`, "--test-name-pattern", "checked", "checked.test.ts"],
      { cwd: directory, env, encoding: "utf8" },
    );
    assert.notEqual(status, 0);
    assert.deepEqual(failedTests(stdout), failed);
  });
