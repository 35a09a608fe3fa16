/**
 * The contributions recorded in a key (section 10 of a .zkey): each moves delta, with a proof that its maker knew by
 * what factor, bound to everything before it.
 */
import { blake2b } from "@noble/hashes/blake2.js";
import type { Curve } from "ffjavascript";
import type { Zkey } from "../keys/zkeyFile.ts";
import { concatBytes, readUintLE } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";

const G1 = 64;
const G2 = 128;
const HASH = 64;

/** What makes a contribution a beacon: a public value everybody can hash themselves. */
export interface Beacon {
  /** The public value the secret follows from, 1 to 255 bytes. */
  value: Uint8Array;
  /** log2 of the times it is hashed. */
  iterationsExp: number;
}

/** Points are affine, little-endian Montgomery, as in the file. */
export interface Contribution {
  /** delta * G1 after it. */
  deltaAfter: Uint8Array;
  /** A random point, and the factor times that point. */
  g1s: Uint8Array;
  g1sx: Uint8Array;
  /** The factor times a point of G2 that follows from `transcript`. */
  g2spx: Uint8Array;
  /** BLAKE2b-512 of the circuit hash, all earlier contributions, g1s and g1sx. */
  transcript: Uint8Array;
  /** What its maker calls itself; nobody vouches for it. */
  name: string | null;
  beacon: Beacon | null;
}

function malformed(i: number, what: string): DeltapayError {
  return new DeltapayError("key/malformed", `contribution ${i + 1}: ${what}`, {
    field: `contributions[${i}]`,
    hint: "fetch the key again",
  });
}

/** The parameters behind a contribution: kind u8, length u8 (but for kind 2), value; kinds ascending. */
function readParameters(body: Uint8Array, i: number): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  let last = 0;
  for (let at = 0; at < body.length; ) {
    const kind = body[at]!;
    if (kind <= last || kind > 3) throw malformed(i, `parameter ${kind} is unknown or out of order`);
    last = kind;
    const length = kind === 2 ? 1 : (body[at + 1] ?? 256);
    const start = at + (kind === 2 ? 1 : 2);
    if (start + length > body.length) throw malformed(i, "a parameter is cut");
    found.set(kind, body.subarray(start, start + length));
    at = start + length;
  }
  return found;
}

function readBeacon(type: number, parameters: Map<number, Uint8Array>, i: number): Beacon | null {
  const [iterations, value] = [parameters.get(2), parameters.get(3)];
  if (type === 0 && iterations === undefined && value === undefined) return null;
  if (type !== 1 || iterations === undefined || value === undefined || value.length === 0)
    throw malformed(i, "neither a contribution nor a beacon");
  return { value: value.slice(), iterationsExp: iterations[0]! };
}

/**
 * The contributions of a parsed key, oldest first. Parses only: `checkContributions` judges.
 * @throws DeltapayError `key/malformed`
 */
export function readContributions(zkey: Zkey): Contribution[] {
  const body = zkey.contributionRecords;
  let at = 0;
  const take = (length: number): Uint8Array => {
    at += length;
    return body.slice(at - length, at);
  };
  const word = (): number => Number(readUintLE(take(4), 0, 4));
  return Array.from({ length: zkey.contributions }, (_, i) => {
    const points = { deltaAfter: take(G1), g1s: take(G1), g1sx: take(G1), g2spx: take(G2) };
    const transcript = take(HASH);
    const type = word();
    const parameters = readParameters(take(word()), i);
    const name = parameters.get(1);
    return {
      ...points,
      transcript,
      name: name === undefined ? null : new TextDecoder().decode(name),
      beacon: readBeacon(type, parameters, i),
    };
  });
}

/** The bytes later contributions are bound to; points uncompressed. */
export function hashedContribution(curve: Curve, contribution: Contribution): Uint8Array {
  const { deltaAfter, g1s, g1sx, g2spx, transcript } = contribution;
  return concatBytes(
    ...[deltaAfter, g1s, g1sx].map((point) => curve.G1.toUncompressed(point)),
    curve.G2.toUncompressed(g2spx),
    transcript,
  );
}

/** BLAKE2b-512 of a contribution: what snarkjs prints and its maker attests to. */
export function contributionHash(curve: Curve, contribution: Contribution): Uint8Array {
  return blake2b(hashedContribution(curve, contribution), { dkLen: HASH });
}
