/** deployments/<chainId>/sources/: what a block explorer asks for to verify the sources of each contract. */
import * as fs from "node:fs";
import * as path from "node:path";
import { hasCode, writeFileAtomic } from "../storage/files.ts";
import { COMPILER } from "./compiler.ts";
import { type ReleaseContract, releaseContracts } from "./releaseContracts.ts";
import { sourceUnit, standardInput } from "./sources.ts";

/** One entry of contracts.json. */
interface SourceEntry {
  name: string;
  address: string;
  /** As explorers name a contract: its source unit, a colon, its name. */
  contract: string;
  /** File with the standard JSON input. */
  input: string;
  compiler: string;
  /** ABI-encoded. */
  constructorArguments: string;
}

function entryOf({ name, address, constructorArgs }: ReleaseContract): SourceEntry {
  return {
    name,
    address,
    contract: `${sourceUnit(name)}:${name}`,
    input: `${name}.json`,
    compiler: COMPILER.longVersion,
    constructorArguments: constructorArgs,
  };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Names and texts of all files. */
export function sourceFiles(): Map<string, string> {
  const contracts = releaseContracts();
  const files = contracts.map(({ name }): [string, string] => [`${name}.json`, json(standardInput(name))]);
  return new Map([["contracts.json", json(contracts.map(entryOf))], ...files]);
}

/** Text of a file beside a deployment file; undefined when it is not there. */
export function readSourceFile(directory: string, name: string): string | undefined {
  try {
    return fs.readFileSync(path.join(directory, "sources", name), "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Writes all files beside a deployment file; those that are there already stay. */
export function storeSources(directory: string): void {
  fs.mkdirSync(path.join(directory, "sources"), { recursive: true });
  for (const [name, text] of sourceFiles())
    if (readSourceFile(directory, name) !== text)
      writeFileAtomic(path.join(directory, "sources", name), new TextEncoder().encode(text), 0o644);
}
