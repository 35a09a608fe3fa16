/**
 * Builds what `import ... from "deltapay"` loads, as plain JavaScript: Node does not strip types below node_modules.
 *
 *   node scripts/build-library.ts [--out build/library]
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Read by the library where the source tree has them. */
const DATA = ["circuits/keys.json", "circuits/lora_statement.circom"];

const { values } = parseArgs({ options: { out: { type: "string", default: "build/library" } } });
const out = path.resolve(ROOT, values.out);
fs.rmSync(out, { recursive: true, force: true });
const tsc = path.join(ROOT, "node_modules", "typescript", "bin", "tsc");
const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.library.json", "--outDir", out], {
  cwd: ROOT,
  stdio: ["ignore", 2, 2],
});
if (status !== 0) process.exit(1);
for (const file of DATA) fs.cpSync(path.join(ROOT, file), path.join(out, file));
console.error(`built ${path.relative(ROOT, out)}`);
