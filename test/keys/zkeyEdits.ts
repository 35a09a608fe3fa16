/** Keys with parts of them exchanged, as an attacker would hand them on. */
import { writeSections } from "../../runner/keys/sections.ts";
import { readZkey } from "../../runner/keys/zkeyFile.ts";

/** The key with some sections replaced. */
export function withSections(zkey: Uint8Array, replaced: [number, Uint8Array][]): Uint8Array {
  const { file } = readZkey(zkey);
  const bodies = new Map(replaced);
  return writeSections({
    ...file,
    sections: new Map([...file.sections].map(([id, body]) => [id, bodies.get(id) ?? body])),
  });
}

/** The key with other bytes at a place of its header (section 2). */
export function withHeader(zkey: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  const header = readZkey(zkey).file.sections.get(2)!.slice();
  header.set(bytes, at);
  return withSections(zkey, [[2, header]]);
}

/** Where points lie in the header, behind primes and counts. */
export const HEADER_AT = {
  alpha1: 84,
  beta1: 148,
  beta2: 212,
  gamma2: 340,
  delta1: 468,
  delta2: 532,
} as const;

/**
 * What a contributor before the move hands on: bases as they must be, the rest divided by a delta it knows.
 * @param initial the moved initial key
 * @param contributed the key that was contributed to before its points were moved
 */
export function movedAfterContribution(initial: Uint8Array, contributed: Uint8Array): Uint8Array {
  const [start, early] = [readZkey(initial), readZkey(contributed)];
  const header = early.file.sections.get(2)!.slice();
  header.set(start.file.sections.get(2)!.subarray(72, 84), 72);
  return withSections(contributed, [
    [2, header],
    [3, start.ic],
    [8, early.c.subarray(early.c.length - start.c.length)],
  ]);
}
