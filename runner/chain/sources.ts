/** What a block explorer or anybody else needs to compile a deployed contract anew: its sources as solc's standard JSON. */
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { COMPILER } from "./compiler.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const IMPORT = /^\s*import\s+(?:[^"';]*\bfrom\s+)?["']([^"']+)["'];/gm;

/** solc's standard JSON input. */
export interface StandardInput {
  language: "Solidity";
  sources: Record<string, { content: string }>;
  settings: typeof COMPILER.settings & { outputSelection: Record<string, Record<string, string[]>> };
}

/** Source unit of a deployed contract, as sources name it. */
export function sourceUnit(contract: string): string {
  const folder = contract.startsWith("LoraVerifier") ? "contracts/verifiers" : "contracts";
  return `${folder}/${contract}.sol`;
}

function readUnit(unit: string): string {
  const file = unit.startsWith("contracts/") ? unit : `node_modules/${unit}`;
  return fs.readFileSync(path.join(ROOT, file), "utf8");
}

function collect(unit: string, sources: Map<string, string>): void {
  if (sources.has(unit)) return;
  const content = readUnit(unit);
  sources.set(unit, content);
  for (const [, target] of content.matchAll(IMPORT)) {
    const imported = target!.startsWith(".") ? path.posix.join(path.posix.dirname(unit), target!) : target!;
    collect(imported, sources);
  }
}

/** Input that compiles to these contracts' code, with their sources and those they import, and no others. */
export function standardInput(...contracts: string[]): StandardInput {
  const sources = new Map<string, string>();
  for (const contract of contracts) collect(sourceUnit(contract), sources);
  const ordered = [...sources].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    language: "Solidity",
    sources: Object.fromEntries(ordered.map(([unit, content]) => [unit, { content }])),
    settings: {
      ...COMPILER.settings,
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
    },
  };
}
