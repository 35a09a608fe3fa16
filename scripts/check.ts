/**
 * Everything that must hold, step by step: `node scripts/check.ts [STEP...]`, all steps by default.
 *
 * The first step that fails is named and ends the run with code 1.
 */
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Programs of node_modules by their scripts: the same on every platform, always on the Node that runs this. */
const PROGRAMS = {
  biome: "node_modules/@biomejs/biome/bin/biome",
  tsc: "node_modules/typescript/bin/tsc",
  solhint: "node_modules/solhint/solhint.js",
  hardhat: "node_modules/hardhat/dist/src/cli.js",
} as const;

/** Milliseconds one test file may take. */
const FILE_TIMEOUT = 300_000;

const STEPS: Record<string, { what: string; args: string[] }> = {
  lint: { what: "format and lint", args: [PROGRAMS.biome, "check", "."] },
  solhint: {
    what: "lint of the contracts",
    args: [PROGRAMS.solhint, "--noPoster", "--max-warnings", "0", "contracts/**/*.sol"],
  },
  types: { what: "types", args: [PROGRAMS.tsc, "-p", "."] },
  "page-types": { what: "types of the wallet UI", args: [PROGRAMS.tsc, "-p", "app"] },
  keys: {
    what: "keys and verifiers equal what their source gives",
    args: ["scripts/generate-keys.ts", "--check", "--max", "510"],
  },
  abi: {
    what: "ABIs and bytecode equal what the contracts give",
    args: ["scripts/generate-abi.ts", "--check"],
  },
  vectors: {
    what: "test vectors equal what the protocol gives",
    args: ["scripts/generate-vectors.ts", "--check"],
  },
  proofs: {
    what: "kept proofs verify under the pinned keys",
    args: ["scripts/generate-proof-vectors.ts", "--check"],
  },
  contracts: { what: "contract tests", args: [PROGRAMS.hardhat, "test", "solidity"] },
  warnings: { what: "the compiler warns of nothing", args: ["scripts/check-warnings.ts"] },
  typescript: {
    what: "tests of the runner",
    // Many wait, for blocks or for what never comes: three at a time keep two cores at work.
    args: ["--test", "--test-concurrency=3", `--test-timeout=${FILE_TIMEOUT}`, "test/**/*.test.ts"],
  },
  app: {
    what: "the wallet UI in a real browser",
    args: ["scripts/test-app.ts"],
  },
  mutations: {
    what: "tests fail when the checks they guard are taken out",
    args: ["scripts/test-mutations.ts", "--kind", "quick", "--jobs", "3"],
  },
};

/** A step chosen by hand may go without what it needs, when it says so; one of all may not. */
const COMPLETE: Record<string, string[]> = { app: ["--required"] };

function runStep(name: string): boolean {
  const { what, args: own } = STEPS[name]!;
  const args = wanted.length === 0 ? [...own, ...(COMPLETE[name] ?? [])] : own;
  console.error(`\n== ${name}: ${what}`);
  const started = Date.now();
  const { status } = spawnSync(process.execPath, args, { cwd: path.resolve(ROOT), stdio: "inherit" });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.error(status === 0 ? `== ${name}: ok (${seconds} s)` : `== ${name}: FAILED (${what})`);
  return status === 0;
}

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in STEPS));
if (unknown !== undefined) {
  console.error(`there is no step ${unknown}: choose among ${Object.keys(STEPS).join(", ")}`);
  process.exit(2);
}
const steps = wanted.length > 0 ? wanted : Object.keys(STEPS);
process.exitCode = steps.every(runStep) ? 0 : 1;
