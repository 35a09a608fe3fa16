/** The form of test/vectors/protocol.json: a list of vectors, each with a name, its inputs and its output. */

/** What a vector holds. Bytes are 0x hex, integers beyond 2^53 decimal strings, integer lists one string with spaces. */
export type Plain = string | number | boolean | null | Plain[] | { [field: string]: Plain };

export interface Vector {
  name: string;
  inputs: Plain;
  output: Plain;
}

export interface VectorFile {
  protocol: number;
  about: string[];
  vectors: Vector[];
}

const LINE = 110;
const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString("hex")}`;

/** A value in the form the file holds. */
export function plain(value: unknown): Plain {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return hex(value);
  if (value instanceof Int8Array || value instanceof Int16Array || value instanceof Float64Array)
    return Array.from(value).join(" ");
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every((item) => typeof item === "bigint")) return value.join(" ");
    return value.map(plain);
  }
  if (typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([field, item]) => [field, plain(item)]));
  throw new TypeError(`a vector cannot hold a ${typeof value}`);
}

/** Collects vectors in order; a name is used once. */
export class Book {
  readonly vectors: Vector[] = [];
  readonly #names = new Set<string>();

  add(name: string, inputs: unknown, output: unknown): void {
    if (this.#names.has(name)) throw new Error(`two vectors are called ${name}`);
    this.#names.add(name);
    this.vectors.push({ name, inputs: plain(inputs), output: plain(output) });
  }
}

/** JSON as the repository's formatter writes it: objects open, arrays on one line when they fit. */
export function format(value: Plain, indent = "", used = 0): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const short = `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
    const flat = value.every((item) => typeof item !== "object" || item === null);
    if (flat && used + short.length <= LINE) return short;
    return `[\n${value.map((item) => inner + format(item, inner, inner.length)).join(",\n")}\n${indent}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([field, item]) => {
    const start = `${inner}${JSON.stringify(field)}: `;
    return start + format(item, inner, start.length + 1);
  });
  return fields.length === 0 ? "{}" : `{\n${fields.join(",\n")}\n${indent}}`;
}
