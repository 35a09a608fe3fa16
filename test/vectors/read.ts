/** Reading test/vectors/protocol.json. */
import * as fs from "node:fs";
import type { Plain, Vector, VectorFile } from "./book.ts";

export const VECTORS = new URL("protocol.json", import.meta.url);

/** The committed file, or undefined when there is none yet. */
export function readVectors(): VectorFile | undefined {
  return fs.existsSync(VECTORS) ? (JSON.parse(fs.readFileSync(VECTORS, "utf8")) as VectorFile) : undefined;
}

/** Looks vectors up by name. @throws Error for a name that is not in the file */
export function vectorsByName(): { names: string[]; vector(name: string): Vector } {
  const { vectors } = readVectors() ?? { vectors: [] };
  const map = new Map(vectors.map((vector) => [vector.name, vector]));
  return {
    names: [...map.keys()],
    vector(name) {
      const found = map.get(name);
      if (found === undefined) throw new Error(`there is no vector ${name}`);
      return found;
    },
  };
}

/** A field of a vector's inputs or output, as text. */
export function text(value: Plain, ...path: (string | number)[]): string {
  const found = path.reduce<Plain | undefined>(
    (at, step) => (typeof at === "object" && at !== null ? (at as Record<string, Plain>)[step] : undefined),
    value,
  );
  if (typeof found === "string") return found;
  if (typeof found === "number") return String(found);
  throw new Error(`${path.join(".")} is not text`);
}
