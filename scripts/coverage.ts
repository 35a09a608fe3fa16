/**
 * Statement and branch coverage of the contracts by their Solidity tests: `npm run coverage [-- --json]`.
 *
 * Works in a temporary copy: branches become statements there (scripts/solidityBranches.ts), Hardhat counts those. A line
 * counts as covered when all statements on it ran. Left out are the invariant campaign, as what it reaches is a matter of
 * chance, and the vectors, which pin the code itself.
 * Exit code 1 below 100 %.
 */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { copySource } from "./copySource.ts";
import { type Instrumented, instrumentBranches } from "./solidityBranches.ts";

const HARDHAT = "node_modules/hardhat/dist/src/cli.js";
const LEFT_OUT = ["contracts/LoraEscrowInvariants.t.sol", "contracts/test/Vectors.t.sol"];
/** Values a fuzz test draws here: enough to enter its branches. */
const FUZZ_RUNS = "16";

interface FileCoverage {
  file: string;
  lines: { found: number; missed: number[] };
  branches: { found: number; missed: string[] };
  conditionsInAssembly: number;
}

const isTest = (file: string): boolean => file.endsWith(".t.sol");

function solidityFiles(copy: string): string[] {
  return globSync("contracts/**/*.sol", { cwd: copy })
    .map((file) => file.replaceAll("\\", "/"))
    .sort();
}

/** The contracts that are deployed and what they are made of; tests and their helpers are not. */
function ownSources(copy: string): string[] {
  return solidityFiles(copy).filter((file) => !isTest(file) && !file.startsWith("contracts/test/"));
}

/** Lines of each file that were run (true) or not, from Hardhat's lcov report. */
function readLcov(path: string): Map<string, Map<number, boolean>> {
  const files = new Map<string, Map<number, boolean>>();
  let lines = new Map<number, boolean>();
  for (const record of readFileSync(path, "utf8").split("\n")) {
    if (record.startsWith("SF:")) {
      lines = new Map();
      files.set(record.slice(3), lines);
    } else if (record.startsWith("DA:")) {
      const [line, count] = record.slice(3).split(",").map(Number);
      lines.set(line!, count! > 0);
    }
  }
  return files;
}

function summarise(file: string, instrumented: Instrumented, run: Map<number, boolean>): FileCoverage {
  const own = [...run].filter(([line]) => line <= instrumented.lines);
  const missed: string[] = [];
  for (const { condition, line, whenTrue, whenFalse } of instrumented.branches) {
    if (run.get(whenTrue) !== true) missed.push(`${line}: ${condition} never holds`);
    if (run.get(whenFalse) !== true) missed.push(`${line}: ${condition} always holds`);
  }
  return {
    file,
    lines: { found: own.length, missed: own.filter(([, hit]) => !hit).map(([line]) => line) },
    branches: { found: 2 * instrumented.branches.length, missed },
    conditionsInAssembly: instrumented.conditionsInAssembly,
  };
}

function measure(copy: string): FileCoverage[] {
  const sources = ownSources(copy);
  const instrumented = sources.map((file, index) => {
    const path = join(copy, file);
    const result = instrumentBranches(readFileSync(path, "utf8"), `branch_${index}_`);
    writeFileSync(path, result.source);
    return result;
  });
  const tests = solidityFiles(copy).filter((file) => isTest(file) && !LEFT_OUT.includes(file));
  const { status } = spawnSync(process.execPath, [HARDHAT, "--coverage", "test", "solidity", ...tests], {
    cwd: copy,
    stdio: ["ignore", process.stderr, process.stderr],
    env: { ...process.env, DELTAPAY_FUZZ_RUNS: FUZZ_RUNS },
  });
  if (status !== 0) throw new Error("the tests fail under coverage");
  const lcov = readLcov(join(copy, "coverage/lcov.info"));
  return sources.map((file, index) => summarise(file, instrumented[index]!, lcov.get(file) ?? new Map()));
}

const share = (found: number, missed: number): string =>
  found === 0 ? "-" : `${found - missed}/${found} ${(100 * (1 - missed / found)).toFixed(1)} %`;

function print(files: FileCoverage[]): void {
  for (const { file, lines, branches } of files) {
    const cells = [share(lines.found, lines.missed.length), share(branches.found, branches.missed.length)];
    process.stdout.write(`${file.padEnd(46)} lines ${cells[0]!.padEnd(18)} branches ${cells[1]}\n`);
    if (lines.missed.length > 0) process.stdout.write(`  lines not run: ${lines.missed.join(", ")}\n`);
    for (const each of branches.missed) process.stdout.write(`  ${each}\n`);
  }
}

function total(files: FileCoverage[], of: "lines" | "branches"): { found: number; covered: number } {
  const found = files.reduce((sum, file) => sum + file[of].found, 0);
  return { found, covered: found - files.reduce((sum, file) => sum + file[of].missed.length, 0) };
}

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const copy = copySource("deltapay-coverage-");
try {
  console.error("compiling and running the tests on an instrumented copy: some two minutes");
  const files = measure(copy);
  const lines = total(files, "lines");
  const branches = total(files, "branches");
  if (values.json) process.stdout.write(`${JSON.stringify({ lines, branches, files }, null, 2)}\n`);
  else {
    print(files);
    process.stdout.write(`all: lines ${share(lines.found, lines.found - lines.covered)}, `);
    process.stdout.write(`branches ${share(branches.found, branches.found - branches.covered)}\n`);
  }
  const whole = lines.found > 0 && lines.covered === lines.found && branches.covered === branches.found;
  if (!whole) console.error("below 100 %");
  process.exitCode = whole ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
