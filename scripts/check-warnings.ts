/**
 * A warning of the compiler about our contracts is an error: `node scripts/check-warnings.ts`.
 *
 * Reads what the compiler said of the build that the artifacts are from; builds first what changed. Only tests may be larger
 * than the chain allows, and other people's code is theirs.
 */
import { readFileSync } from "node:fs";
import * as path from "node:path";
import hre from "hardhat";

interface Message {
  severity: "error" | "warning" | "info";
  errorCode?: string;
  formattedMessage: string;
  sourceLocation?: { file: string };
}

/** Contract code and creation code larger than the chain takes. */
const SIZE_WARNINGS = ["5574", "3860"];

function isOurs({ sourceLocation }: Message): boolean {
  return sourceLocation === undefined || sourceLocation.file.startsWith("project/contracts/");
}

function isLargeTest({ errorCode, sourceLocation }: Message): boolean {
  const file = sourceLocation?.file ?? "";
  const isTest = file.endsWith(".t.sol") || file.startsWith("project/contracts/test/");
  return isTest && SIZE_WARNINGS.includes(errorCode ?? "");
}

/** What the compiler said of every build that an artifact of today is from. */
async function messages(): Promise<Message[]> {
  const builds = new Set<string>();
  for (const name of await hre.artifacts.getAllFullyQualifiedNames()) {
    const id = await hre.artifacts.getBuildInfoId(name);
    if (id !== undefined) builds.add(id);
  }
  if (builds.size === 0) throw new Error("there is no build");
  return [...builds].flatMap((id) => {
    const file = path.join(hre.config.paths.artifacts, "build-info", `${id}.output.json`);
    return (JSON.parse(readFileSync(file, "utf8")).output.errors ?? []) as Message[];
  });
}

await hre.tasks.getTask("build").run({ quiet: true });
const all = await messages();
const ours = new Set(
  all.filter((each) => isOurs(each) && !isLargeTest(each)).map((each) => each.formattedMessage),
);
for (const each of ours) console.error(each);
if (ours.size > 0) {
  console.error(`${ours.size} warnings of the compiler about contracts/: mend what they say`);
  process.exitCode = 1;
}
