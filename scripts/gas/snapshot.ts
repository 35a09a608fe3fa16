/** The figures that are kept in git: test/contracts/gas.json whole, docs/gas.md between two marks. */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { GasReport } from "./report.ts";
import { gasTables } from "./tables.ts";

const SNAPSHOT = new URL("../../test/contracts/gas.json", import.meta.url);
const DOCUMENT = new URL("../../docs/gas.md", import.meta.url);
const BEGIN = "<!-- written by: npm run gas -- --write -->\n";
const END = "<!-- end -->\n";

/** The document with the report's tables between its marks. */
function withTables(document: string, report: GasReport): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin)
    throw new Error(`docs/gas.md lacks the line ${BEGIN.trim()} or ${END.trim()}`);
  return `${document.slice(0, begin + BEGIN.length)}\n${gasTables(report)}\n${document.slice(end)}`;
}

async function filesOf(report: GasReport): Promise<[URL, string][]> {
  return [
    [SNAPSHOT, `${JSON.stringify(report, null, 2)}\n`],
    [DOCUMENT, withTables(await readFile(DOCUMENT, "utf8"), report)],
  ];
}

/** Paths of the files that differ from what the report gives. */
export async function differingFiles(report: GasReport): Promise<string[]> {
  const different: string[] = [];
  for (const [file, text] of await filesOf(report))
    if ((await readFile(file, "utf8").catch(() => "")) !== text) different.push(fileURLToPath(file));
  return different;
}

export async function writeFiles(report: GasReport): Promise<void> {
  for (const [file, text] of await filesOf(report)) await writeFile(file, text);
}
