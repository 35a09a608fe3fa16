/** docs/threat-model.md against the tests it names. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ATTACKS } from "../../runner/demo/attacks/list.ts";
import { TAMPERINGS } from "../../runner/demo/tampered/list.ts";
import { PARTS } from "../demo/parts.ts";

const read = (file: string): string =>
  fs.readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), "utf8");
const document = read("docs/threat-model.md");

/** The classes that must be there. */
const CLASSES = [
  "Under-constrained witnesses",
  "Nondeterministic witnesses",
  "Field overflow of signed values",
  "Mismatched lengths",
  "Input aliasing",
  "Unused inputs optimised away",
  "Weak Fiat-Shamir",
  "Proof malleability",
  "Skipped phase 2",
  "Verifying-key substitution",
  "Replay",
  "Setup leaks",
];

/** Where the document names a test: `file` › *name*. */
function named(text: string): { file: string; name: string }[] {
  return [...text.matchAll(/`([^`]+)` › \*([^*]+)\*/g)].map(([, file, name]) => ({
    file: file!,
    name: name!,
  }));
}

/** The files that `npm test` runs (scripts/check.ts, scripts/test-app.ts). */
const RUN = /^(test\/.*\.test\.ts|test\/app\/browser\/.*\.browser\.ts|contracts\/.*\.t\.sol)$/;

/** Whether a test of this name is in the file; names made of a list are spelled `every input of ${name} counts`. */
function isThere(file: string, name: string): boolean {
  if (file === "demo")
    return (
      ATTACKS.some((attack) => attack.name === name) &&
      Object.values(PARTS)
        .flat()
        .includes(name as never)
    );
  // test/audit/tampered.test.ts runs all there are
  if (file === "audit") return TAMPERINGS.some((tampering) => tampering.name === name);
  if (!RUN.test(file)) return false;
  const source = read(file);
  if (file.endsWith(".sol")) return source.includes(`function ${name}(`);
  const [, hash] = /^every input of (.*) counts$/.exec(name) ?? [];
  if (hash !== undefined) return new RegExp(`^  "?${hash}"?: \\[`, "m").test(source);
  return source.includes(`test("${name}"`);
}

test("every test the threat model names is there", () => {
  const all = named(document);
  assert.ok(all.length > 120);
  const missing = all.filter(({ file, name }) => !isThere(file, name));
  assert.deepEqual(missing, []);
});

test("every row of a table of attacks, and every class of bugs, names a test", () => {
  const [, attacks = ""] = document.split("## What each can try");
  const rows = attacks.split("\n").filter((line) => /^\| (?!attack|---)/.test(line.replace("|---", "| ---")));
  assert.ok(rows.length > 30);
  for (const row of rows) assert.ok(named(row).length > 0, row);
  const sections = new Map(
    document
      .split("## Known classes of bugs")[1]!
      .split(/^### /m)
      .slice(1)
      .map((section) => [section.split("\n")[0]!, section]),
  );
  assert.deepEqual([...sections.keys()], CLASSES);
  for (const [name, section] of sections) assert.ok(named(section).length > 0, name);
});
