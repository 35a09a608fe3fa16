/** Temporary copies of the source, for runs that change it. */
import { cpSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

const COPIED = [
  "app",
  "circuits",
  "contracts",
  "fixtures",
  "runner",
  "scripts",
  "test",
  "hardhat.config.ts",
  "package.json",
  "tsconfig.json",
];

/** Directory of a copy of the source; installed packages and built keys are shared. */
export function copySource(prefix: string): string {
  const copy = mkdtempSync(join(tmpdir(), prefix));
  for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  for (const name of ["node_modules", "build"]) symlinkSync(join(ROOT, name), join(copy, name));
  return copy;
}
