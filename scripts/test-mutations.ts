/**
 * Takes each check of test/mutations/list.ts out of a temporary copy of the source and demands that the named test
 * then fails: a test that still passes does not guard its check.
 *
 *   node scripts/test-mutations.ts [--only NAME]... [--list] [--jobs 2] [--kind quick|slow|solidity|kill]
 *
 * Only the quick ones are part of `npm test`. A mutation of a contract compiles all of them anew; a slow one is found by
 * settling agreements, or by waiting for what never comes; one of what survives a crash takes crashes.
 */
import { spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MUTATIONS, type Mutation } from "../test/mutations/list.ts";
import { copySource, ROOT } from "./copySource.ts";
import { failedTests } from "./failedTests.ts";

const REPORTER = new URL("failedTests.ts", import.meta.url).href;
/** Long enough for a compile of all contracts on a busy machine. */
const TIMEOUT_MS = 300_000;

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    list: { type: "boolean", default: false },
    jobs: { type: "string", default: "2" },
    kind: { type: "string" },
  },
});

function mutate(source: string, { name, find, replace }: Mutation): string {
  const parts = source.split(find);
  if (parts.length !== 2)
    throw new Error(
      `mutation '${name}': the code to take out occurs ${parts.length - 1} times, expected once`,
    );
  return parts.join(replace);
}

function command({ test, pattern }: Mutation): string[] {
  if (test.endsWith(".t.sol"))
    return [join(ROOT, "node_modules/hardhat/dist/src/cli.js"), "test", "solidity", test, "--grep", pattern];
  // In the process itself: a second one would take as long to start as most of these tests.
  const how = ["--test", "--test-isolation=none", `--test-reporter=${REPORTER}`];
  return [...how, "--test-name-pattern", pattern, test];
}

/** Exit code and the end of the output. */
function run(cwd: string, args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd,
      timeout: TIMEOUT_MS,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text) => {
        output = (output + text).slice(-20_000);
      });
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** Whether a test failed: a crash or a compile error is not a failed test. */
function someFailed({ test }: Mutation, output: string): boolean {
  if (test.endsWith(".t.sol")) return Number(/(\d+) failing/.exec(output)?.[1] ?? 0) > 0;
  return failedTests(output).length > 0;
}

async function check(mutation: Mutation, copy: string): Promise<string | undefined> {
  const path = join(copy, mutation.file);
  const original = readFileSync(path, "utf8");
  writeFileSync(path, mutate(original, mutation));
  try {
    const { code, output } = await run(copy, command(mutation));
    if (code === 0) return "the test passes without the check";
    if (!someFailed(mutation, output)) return `no test failed; the run ended with:\n${output.slice(-1500)}`;
    return undefined;
  } finally {
    writeFileSync(path, original);
  }
}

/** Tests that settle agreements, or that wait for what never comes once their check is gone. */
const SLOW = [
  ...["tampered", "chain", "all"].map((name) => `test/audit/${name}.test.ts`),
  ...["undone", "lifecycle"].map((name) => `test/contributor/${name}.test.ts`),
  "test/app/transactions.test.ts",
  "test/ceremony/folder.test.ts",
];

function kindOf({ test }: Mutation): string {
  if (test.endsWith(".t.sol")) return "solidity";
  if (test.startsWith("test/kill/")) return "kill";
  return SLOW.includes(test) ? "slow" : "quick";
}

const isChosen = (mutation: Mutation): boolean =>
  (values.only === undefined || values.only.includes(mutation.name)) &&
  (values.kind === undefined || values.kind === kindOf(mutation));
const unknown = values.only?.find((only) => MUTATIONS.every(({ name }) => name !== only));
if (unknown !== undefined) {
  console.error(`there is no mutation ${unknown}: --list names them`);
  process.exit(2);
}
const chosen = MUTATIONS.filter(isChosen);
if (values.list) for (const { name, attack } of chosen) process.stdout.write(`${name}: ${attack}\n`);
else {
  const queue = [...chosen];
  let survived = 0;
  const worker = async (): Promise<void> => {
    const copy = copySource("deltapay-mutation-");
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const started = performance.now();
        const problem = await check(next, copy);
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        if (problem !== undefined) survived++;
        process.stdout.write(
          `${problem === undefined ? "ok  " : "FAIL"} ${next.name} (${seconds} s): ${problem ?? next.attack}\n`,
        );
      }
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
  process.stdout.write(`${chosen.length - survived} passed, ${survived} failed\n`);
  if (survived > 0 || chosen.length === 0) process.exitCode = 1;
}
