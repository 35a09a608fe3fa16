/**
 * The fuzz tests and the invariant campaign of the contracts at length: `npm run test:contracts:deep`.
 *
 *   node scripts/test-contracts-deep.ts [--fuzz-runs 100000] [--runs 2000] [--depth 200] [--part fuzz|invariants]
 *     [--seed 0x…] [--jobs N]
 *
 * Every run begins at a fresh seed, so that it tries what no earlier one did, and prints it: with --seed it is had again.
 * Fuzz tests run one by one, as many at a time as there are processors: most of them verify proofs, and a hundred thousand of
 * those take a processor up to half an hour. Afterwards it says what the campaign has seen.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
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
    jobs: { type: "string", default: String(availableParallelism()) },
    seed: { type: "string", default: `0x${randomBytes(SEED).toString("hex")}` },
  },
});

function positive(name: "fuzz-runs" | "runs" | "depth" | "jobs"): string {
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

/** Runs the tests of one file whose names have `test` in them; whether there were any and they passed. */
async function passes(file: string, test: string): Promise<boolean> {
  const started = Date.now();
  const child = spawn(process.execPath, [HARDHAT, "test", "solidity", file, "--grep", test], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...settings },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text) => {
      said += text;
    });
  const code = await new Promise((resolve) => child.on("close", resolve));
  const passed = code === 0 && /[1-9]\d* passing/.test(said);
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  if (!passed) console.error(said);
  process.stdout.write(`${passed ? "ok  " : "FAIL"} ${file} ${test} (${seconds} s)\n`);
  return passed;
}

/** Every fuzz test, with its file. */
function fuzzTests(): { file: string; name: string }[] {
  return globSync("contracts/**/*.t.sol", { cwd: ROOT })
    .sort()
    .flatMap((file) =>
      [...readFileSync(join(ROOT, file), "utf8").matchAll(/function (testFuzz_\w+)/g)].map(([, name]) => ({
        file,
        name: name!,
      })),
    );
}

async function runFuzz(): Promise<boolean> {
  const [first, ...queue] = fuzzTests();
  process.stdout.write(`${settings.DELTAPAY_FUZZ_RUNS} runs of each of ${queue.length + 1} fuzz tests\n`);
  // By itself: it compiles for the others.
  let passed = await passes(first!.file, first!.name);
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      if (!(await passes(next.file, next.name))) passed = false;
  };
  await Promise.all(Array.from({ length: Number(positive("jobs")) }, worker));
  return passed;
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

async function runInvariants(): Promise<boolean> {
  process.stdout.write(
    `campaign of ${settings.DELTAPAY_INVARIANT_RUNS} runs of ${settings.DELTAPAY_INVARIANT_DEPTH} calls\n`,
  );
  const passed = await passes(CAMPAIGN, "invariant_");
  if (passed) printDeeds();
  return passed;
}

process.stdout.write(`seed ${values.seed}\n`);
const parts = [
  ...(values.part === "fuzz" ? [] : [runInvariants]),
  ...(values.part === "invariants" ? [] : [runFuzz]),
];
let passed = true;
for (const part of parts) passed = (await part()) && passed;
process.exitCode = passed ? 0 : 1;
