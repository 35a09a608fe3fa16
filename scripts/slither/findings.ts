/** Findings of static analysis, and the file in which each is answered. */
import { readFileSync } from "node:fs";

const ANSWERS = new URL("../../contracts/FINDINGS.md", import.meta.url);

/** The detector's name, and what it found without line numbers: they move. */
export interface Finding {
  check: string;
  where: string;
}

/** Of Slither's JSON report. */
interface SlitherElement {
  type: string;
  name: string;
  type_specific_fields?: { signature?: string; parent?: SlitherElement };
}

export interface SlitherReport {
  success: boolean;
  error: string | null;
  results: { detectors?: { check: string; description: string; elements: SlitherElement[] }[] };
}

/** Contract, function and variable, outermost first. */
function nameOf({ name, type_specific_fields: fields }: SlitherElement): string {
  const own = fields?.signature ?? name;
  const parent = fields?.parent;
  return parent === undefined || /^(pragma|file)$/.test(parent.type) ? own : `${nameOf(parent)}.${own}`;
}

/** All findings, sorted. */
export function findingsOf({ results }: SlitherReport): Finding[] {
  return (results.detectors ?? [])
    .map(({ check, elements: [first] }) => ({ check, where: first === undefined ? "" : nameOf(first) }))
    .sort((a, b) => (label(a) < label(b) ? -1 : 1));
}

export function label({ check, where }: Finding): string {
  return `${check}: ${where}`;
}

/** What the file answers under headings `## <tool>: <check>`, one list item each. */
export function answered(tool: string, text = readFileSync(ANSWERS, "utf8")): Finding[] {
  const findings: Finding[] = [];
  let check: string | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("## ")) {
      const heading = /^## (\w+): `([^`]+)`$/.exec(line);
      check = heading?.[1] === tool ? heading[2] : undefined;
    }
    const item = /^- `([^`]+)`/.exec(line);
    if (check !== undefined && item !== null) findings.push({ check, where: item[1]! });
  }
  return findings;
}

/** Findings that nobody answered, and answers to what is found no more. */
export function compareFindings(
  found: readonly Finding[],
  answers: readonly Finding[],
): { unanswered: string[]; stale: string[] } {
  const known = new Set(answers.map(label));
  const present = new Set(found.map(label));
  return {
    unanswered: [...present].filter((finding) => !known.has(finding)),
    stale: [...known].filter((answer) => !present.has(answer)),
  };
}
