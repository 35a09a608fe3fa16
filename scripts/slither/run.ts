/** Runs Slither over the contracts that are deployed, compiled by the pinned compiler. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { standardInput } from "../../runner/chain/sources.ts";
import type { SlitherReport } from "./findings.ts";

const SOLC = fileURLToPath(new URL("solc.ts", import.meta.url));
const TIMEOUT_MS = 600_000;

/** Verifiers differ in nothing but the numbers of their key: the smallest stands for all. */
const CONTRACTS = ["AdapterRegistry", "LoraEscrow", "LoraVerifier14"];

/** Slither's version; undefined where it is not installed. @param program name or path */
export function slitherVersion(program: string): string | undefined {
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** A folder with the sources by their names in the input, the input, and a compiler that can be executed. */
function writeProject(folder: string): void {
  const input = standardInput(...CONTRACTS);
  input.settings.outputSelection = { "*": { "*": ["*"], "": ["ast"] } };
  for (const [unit, { content }] of Object.entries(input.sources)) {
    mkdirSync(dirname(join(folder, unit)), { recursive: true });
    writeFileSync(join(folder, unit), content);
  }
  writeFileSync(join(folder, "input.json"), JSON.stringify(input));
  writeFileSync(join(folder, "solc"), `#!/bin/sh\nexec "${process.execPath}" "${SOLC}" "$@"\n`);
  chmodSync(join(folder, "solc"), 0o755);
}

/** Slither's report. Throws with the end of its output when it could not analyse. */
export function runSlither(program: string): SlitherReport {
  const folder = mkdtempSync(join(tmpdir(), "deltapay-slither-"));
  try {
    writeProject(folder);
    const report = join(folder, "report.json");
    const args = ["input.json", "--compile-force-framework", "solc-json", "--solc", join(folder, "solc")];
    const { stderr, error } = spawnSync(
      program,
      [...args, "--filter-paths", "@openzeppelin", "--json", report],
      {
        cwd: folder,
        encoding: "utf8",
        timeout: TIMEOUT_MS,
        maxBuffer: 2 ** 26,
      },
    );
    if (error !== undefined) throw error;
    const parsed = JSON.parse(readReport(report, stderr)) as SlitherReport;
    if (!parsed.success) throw new Error(`Slither failed: ${parsed.error}`);
    return parsed;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(report: string, stderr: string): string {
  try {
    return readFileSync(report, "utf8");
  } catch {
    throw new Error(`Slither wrote no report; its output ends with:\n${stderr.slice(-2000)}`);
  }
}
