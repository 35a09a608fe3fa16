/**
 * The fuzz tests and the invariant campaign of the contracts at length: `npm run test:contracts:deep`.
 *
 *   node scripts/test-contracts-deep.ts [--fuzz-runs 100000] [--runs 2000] [--depth 200] [--part fuzz|invariants]
 *     [--seed 0x…]
 *
 * Every run begins at a fresh seed, so that it tries what no earlier one did, and prints it: with --seed it is had again.
 * The fuzz tests run file by file, so that one sees how far they are. Afterwards it says what the campaign has seen.
 */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "./copySource.ts";

const HARDHAT = join(ROOT, "node_modules/hardhat/dist/src/cli.js");
const CAMPAIGN = "contracts/LoraEscrowInvariants.t.sol";
const WORD = 32;
/** Bytes of a seed. */
const SEED = 32;

const { values } = parseArgs({
  options: {
    "fuzz-runs": { type: "string", default: "100000" },
    runs: { type: "string", default: "2000" },
    depth: { type: "string", default: "200" },
    part: { type: "string" },
    seed: { type: "string", default: `0x${randomBytes(SEED).toString("hex")}` },
  },
});

function positive(name: "fuzz-runs" | "runs" | "depth"): string {
  const value = values[name]!;
  if (/^[1-9]\d*$/.test(value)) return value;
  console.error(`--${name} must be a whole number from 1`);
  process.exit(2);
}

if (!/^0x([0-9a-f]{2}){1,32}$/i.test(values.seed)) {
  console.error(`--seed must be 1 to ${SEED} bytes in hex after 0x`);
  process.exit(2);
}

const settings = {
  DELTAPAY_FUZZ_SEED: values.seed,
  DELTAPAY_FUZZ_RUNS: positive("fuzz-runs"),
  DELTAPAY_INVARIANT_RUNS: positive("runs"),
  DELTAPAY_INVARIANT_DEPTH: positive("depth"),
};
if (values.part !== undefined && values.part !== "fuzz" && values.part !== "invariants") {
  console.error("--part must be fuzz or invariants");
  process.exit(2);
}

/** Runs Hardhat's tests of one file; whether they passed. */
function passes(file: string, grep: string): boolean {
  const started = Date.now();
  const { status } = spawnSync(process.execPath, [HARDHAT, "test", "solidity", file, "--grep", grep], {
    cwd: ROOT,
    stdio: ["ignore", process.stderr, process.stderr],
    env: { ...process.env, ...settings },
  });
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  process.stdout.write(`${status === 0 ? "ok  " : "FAIL"} ${file} (${seconds} s)\n`);
  return status === 0;
}

function fuzzFiles(): string[] {
  const all = globSync("contracts/**/*.t.sol", { cwd: ROOT }).sort();
  return all.filter((file) => /function testFuzz_/.test(readFileSync(join(ROOT, file), "utf8")));
}

function runFuzz(): boolean {
  const files = fuzzFiles();
  process.stdout.write(`${settings.DELTAPAY_FUZZ_RUNS} runs of every fuzz test, ${files.length} files\n`);
  return files
    .map((file, index) => {
      console.error(`\n== ${index + 1} of ${files.length}: ${file}`);
      return passes(file, "testFuzz_");
    })
    .every(Boolean);
}

/** What the campaign added up (LoraEscrowInvariants.t.sol): abi.encode(uint256[]), runs first, then a count per deed. */
function printDeeds(): void {
  const words = readFileSync(join(ROOT, "cache/invariants.bin"));
  const source = readFileSync(join(ROOT, "contracts/test/campaign/Deeds.sol"), "utf8");
  const deeds = [.../enum Deed \{([^}]*)\}/.exec(source)![1]!.matchAll(/\w+/g)].map(([name]) => name);
  for (const [index, name] of ["runs", ...deeds].entries()) {
    const start = (2 + index) * WORD;
    const count = BigInt(`0x${words.subarray(start, start + WORD).toString("hex")}`);
    process.stdout.write(`${name.padEnd(30)} ${count}\n`);
  }
}

function runInvariants(): boolean {
  process.stdout.write(
    `campaign of ${settings.DELTAPAY_INVARIANT_RUNS} runs of ${settings.DELTAPAY_INVARIANT_DEPTH} calls\n`,
  );
  const passed = passes(CAMPAIGN, "invariant_");
  if (passed) printDeeds();
  return passed;
}

process.stdout.write(`seed ${values.seed}\n`);
const parts = [
  ...(values.part === "fuzz" ? [] : [runInvariants]),
  ...(values.part === "invariants" ? [] : [runFuzz]),
];
process.exitCode = parts.map((part) => part()).every(Boolean) ? 0 : 1;
