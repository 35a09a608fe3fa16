/**
 * The container of circom's and snarkjs's binary files (.r1cs, .wtns, .ptau, .zkey): magic 4 | version u32 LE |
 * section count u32 LE | sections (id u32 LE | length u64 LE | body).
 */
import { concatBytes, u32, uintLE } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";

export interface SectionFile {
  magic: string;
  version: number;
  /** Bodies by id, in file order. */
  sections: Map<number, Uint8Array>;
}

/**
 * Parses a section file. Bodies are views into `bytes`.
 * @param field how errors name the file
 * @throws DeltapayError `key/malformed`: wrong magic, a section that is repeated or out of bounds, trailing bytes
 */
export function readSections(bytes: Uint8Array, magic: string, field: string): SectionFile {
  const fail = (what: string): never => {
    throw new DeltapayError("key/malformed", `${field}: ${what}`, { field });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12) fail("shorter than its header");
  if (new TextDecoder("latin1").decode(bytes.subarray(0, 4)) !== magic) fail(`not a .${magic} file`);
  const sections = new Map<number, Uint8Array>();
  let at = 12;
  for (let left = view.getUint32(8, true); left > 0; left--) {
    if (at + 12 > bytes.length) fail("ends inside a section header");
    const id = view.getUint32(at, true);
    const length = view.getBigUint64(at + 4, true);
    at += 12;
    if (length > BigInt(bytes.length - at)) fail(`section ${id} runs past the end`);
    if (sections.has(id)) fail(`section ${id} is repeated`);
    sections.set(id, bytes.subarray(at, at + Number(length)));
    at += Number(length);
  }
  if (at !== bytes.length) fail(`${bytes.length - at} bytes after the last section`);
  return { magic, version: view.getUint32(4, true), sections };
}

/** The inverse of `readSections`. */
export function writeSections(file: SectionFile): Uint8Array {
  const parts = [new TextEncoder().encode(file.magic), u32(file.version), u32(file.sections.size)];
  for (const [id, body] of file.sections) parts.push(u32(id), uintLE(BigInt(body.length), 8), body);
  return concatBytes(...parts);
}

/**
 * One section, optionally of an exact length.
 * @throws DeltapayError `key/malformed`
 */
export function sectionOf(file: SectionFile, id: number, length?: number): Uint8Array {
  const body = file.sections.get(id);
  const field = `${file.magic} section ${id}`;
  if (body === undefined) throw new DeltapayError("key/malformed", `${field} is missing`, { field });
  if (length !== undefined && body.length !== length)
    throw new DeltapayError("key/malformed", `${field} has ${body.length} bytes, expected ${length}`, {
      field,
    });
  return body;
}
