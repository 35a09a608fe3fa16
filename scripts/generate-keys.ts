/**
 * Regenerates circuits/keys.json and contracts/verifiers/*.sol from source; keys out of a ceremony stay as they are.
 *
 * node scripts/generate-keys.ts [--max L] [--check]
 *   --max L   sizes up to L (default 510; 8190 takes about a minute); entries of larger keys stay as they are
 *   --check   writes nothing and fails when a file in git differs
 */
import * as fs from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makeDevKey, pinnedOf } from "../runner/keys/artefacts.ts";
import { verifierSource } from "../runner/keys/exportSolidity.ts";
import { PINNED_KEYS_FILE, pinnedKeys } from "../runner/keys/pinned.ts";
import { storeKey } from "../runner/keys/store.ts";
import { loadCurve } from "../runner/protocol/curve.ts";
import { KEY_SIZES, verifyingKey } from "../runner/protocol/key.ts";

const VERIFIERS = new URL("../contracts/verifiers/", import.meta.url);

function verifierPath(size: number): string {
  return fileURLToPath(new URL(`LoraVerifier${size}.sol`, VERIFIERS));
}

/** Writes the text, or with `check` says whether the file already holds it. */
function settle(path: string, text: string, check: boolean): boolean {
  if (check) return fs.existsSync(path) && fs.readFileSync(path, "utf8") === text;
  fs.writeFileSync(path, text);
  return true;
}

async function generate(max: number, check: boolean): Promise<string[]> {
  const curve = await loadCurve();
  const entries = new Map(fs.existsSync(PINNED_KEYS_FILE) ? pinnedKeys().map((key) => [key.size, key]) : []);
  const different: string[] = [];
  if (!check) fs.mkdirSync(VERIFIERS, { recursive: true });
  for (const size of KEY_SIZES.filter((candidate) => candidate <= max)) {
    if (entries.get(size)?.state === "ceremony") {
      console.error(`key ${size}: out of a ceremony, nothing here can make it`);
      continue;
    }
    const started = Date.now();
    const key = await makeDevKey(curve, size);
    entries.set(size, pinnedOf(key));
    const path = verifierPath(size);
    if (!settle(path, verifierSource(verifyingKey(key.commitKey), key.info.state), check))
      different.push(path);
    if (!check) storeKey(key);
    console.error(`key ${size}: ${key.info.vkHash} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  }
  await curve.terminate();
  const ordered = [...entries.values()].sort((a, b) => a.size - b.size);
  if (!settle(PINNED_KEYS_FILE, `${JSON.stringify(ordered, null, 2)}\n`, check))
    different.push(PINNED_KEYS_FILE);
  return different;
}

const { values } = parseArgs({
  options: { max: { type: "string", default: "510" }, check: { type: "boolean", default: false } },
});
const max = KEY_SIZES.find((size) => String(size) === values.max);
if (max === undefined) throw new Error(`--max must be one of ${KEY_SIZES.join(", ")}`);
const different = await generate(max, values.check);
for (const path of different) console.error(`differs from what its source gives: ${path}`);
process.exitCode = different.length === 0 ? 0 : 1;
