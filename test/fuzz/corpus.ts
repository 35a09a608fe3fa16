/** Inputs that once broke something: run again with every test. corpus/<target>/<hash>. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("corpus", import.meta.url));

/** Names of the targets that have one. */
export function targetsWithCorpus(): string[] {
  return fs.readdirSync(FOLDER).sort();
}

/** The inputs of a target, by file name. */
export function corpusOf(target: string): Map<string, Uint8Array> {
  const folder = path.join(FOLDER, target);
  const names = fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
  return new Map(names.map((name) => [name, new Uint8Array(fs.readFileSync(path.join(folder, name)))]));
}

/** Keeps an input. @returns its file */
export function keepInput(target: string, input: Uint8Array): string {
  const folder = path.join(FOLDER, target);
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, createHash("sha256").update(input).digest("hex").slice(0, 16));
  fs.writeFileSync(file, input);
  return file;
}
