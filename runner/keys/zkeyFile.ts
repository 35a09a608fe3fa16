/**
 * snarkjs's .zkey: sections 1 protocol, 2 header, 3 IC, 4 coefficients, 5-7 A, B1, B2, 8 C, 9 H, 10 contributions
 * (circuit hash first). Points are affine, little-endian Montgomery; infinity is all zeros.
 */
import { blake2b } from "@noble/hashes/blake2.js";
import { concatBytes, readUintLE, tag, u32 } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { P, Q } from "../protocol/field.ts";
import { readSections, type SectionFile, sectionOf, writeSections } from "./sections.ts";
import { KEY_TAGS } from "./tags.ts";

const G1 = 64;
const G2 = 128;
const CIRCUIT_HASH = 64;
/** deltaAfter, g1_s, g1_sx | g2_spx | transcript | type u32, before the length of its parameters. */
const CONTRIBUTION = 3 * G1 + G2 + 64 + 4;
/** Where nPublic lies in section 2, after two primes with their lengths and nVars. */
const N_PUBLIC_AT = 76;
const HEADER = 84 + 3 * G1 + 3 * G2;

export interface Zkey {
  file: SectionFile;
  nVars: number;
  nPublic: number;
  domainSize: number;
  alpha1: Uint8Array;
  beta1: Uint8Array;
  beta2: Uint8Array;
  gamma2: Uint8Array;
  delta1: Uint8Array;
  delta2: Uint8Array;
  /** nPublic + 1 points, of the constant wire first. */
  ic: Uint8Array;
  /** Points of the wires that are neither constant nor public. */
  c: Uint8Array;
  /** domainSize points. */
  h: Uint8Array;
  circuitHash: Uint8Array;
  contributions: number;
  /** Section 10 behind circuit hash and count: the contributions one after another. */
  contributionRecords: Uint8Array;
}

function malformed(field: string, what: string): DeltapayError {
  return new DeltapayError("key/malformed", `${field}: ${what}`, {
    field,
    hint: "rebuild it with `deltapay keys build`",
  });
}

/** Number of contributions in section 10, which they must fill exactly. */
function countContributions(body: Uint8Array, field: string): number {
  if (body.length < CIRCUIT_HASH + 4) throw malformed(field, "section 10 is too short");
  const count = Number(readUintLE(body, CIRCUIT_HASH, 4));
  let at = CIRCUIT_HASH + 4;
  for (let i = 0; i < count; i++) {
    if (at + CONTRIBUTION + 4 > body.length) throw malformed(field, `contribution ${i} is cut`);
    at += CONTRIBUTION + 4 + Number(readUintLE(body, at + CONTRIBUTION, 4));
  }
  if (at !== body.length) throw malformed(field, "section 10 does not end with its last contribution");
  return count;
}

/**
 * Parses a Groth16 key over BN254 and checks that every section has the size its header implies.
 * @throws DeltapayError `key/malformed`
 */
export function readZkey(bytes: Uint8Array, field = "key.zkey"): Zkey {
  const file = readSections(bytes, "zkey", field);
  const protocol = sectionOf(file, 1, 4);
  const header = sectionOf(file, 2, HEADER);
  const number = (body: Uint8Array, at: number): number => Number(readUintLE(body, at, 4));
  if (number(protocol, 0) !== 1) throw malformed(field, "not a Groth16 key");
  if (number(header, 0) !== 32 || readUintLE(header, 4, 32) !== Q) throw malformed(field, "not over BN254");
  if (number(header, 36) !== 32 || readUintLE(header, 40, 32) !== P) throw malformed(field, "not over BN254");
  const [nVars, nPublic, domainSize] = [number(header, 72), number(header, N_PUBLIC_AT), number(header, 80)];
  if (nPublic >= nVars) throw malformed(field, "more public wires than wires");
  for (const [id, width] of [
    [5, G1],
    [6, G1],
    [7, G2],
  ] as const)
    sectionOf(file, id, nVars * width);
  const contributions = sectionOf(file, 10);
  let at = 84;
  const take = (length: number): Uint8Array => {
    at += length;
    return header.subarray(at - length, at);
  };
  return {
    file,
    nVars,
    nPublic,
    domainSize,
    alpha1: take(G1),
    beta1: take(G1),
    beta2: take(G2),
    gamma2: take(G2),
    delta1: take(G1),
    delta2: take(G2),
    ic: sectionOf(file, 3, (nPublic + 1) * G1),
    c: sectionOf(file, 8, (nVars - nPublic - 1) * G1),
    h: sectionOf(file, 9, domainSize * G1),
    circuitHash: contributions.subarray(0, CIRCUIT_HASH),
    contributions: countContributions(contributions, field),
    contributionRecords: contributions.subarray(CIRCUIT_HASH + 4),
  };
}

/** blake2b-512(tag, circuit hash before the move, count u32 LE): binds every contribution to the moved key. */
export function movedCircuitHash(circuitHash: Uint8Array, count: number): Uint8Array {
  return blake2b(concatBytes(tag(KEY_TAGS.movedKey), circuitHash, u32(count)), { dkLen: CIRCUIT_HASH });
}

/**
 * Makes the first `count` private wires of a fresh key committed ones: their points move from section C to the end of
 * IC and count as public (protocol 3). Only right while delta = 1, so a key with contributions is refused.
 * @throws DeltapayError `key/malformed`, `key/has-contributions`
 */
export function moveCommitted(bytes: Uint8Array, count: number): Uint8Array {
  const zkey = readZkey(bytes, "initial key");
  if (zkey.contributions !== 0)
    throw new DeltapayError(
      "key/has-contributions",
      "committed points can only be moved in a key without contributions",
      {
        field: "initial key",
        hint: "start from a fresh `zkey new`: whoever contributed before the move could open commitments differently",
      },
    );
  if (count * G1 > zkey.c.length) throw malformed("initial key", `fewer than ${count} private wires`);
  const header = zkey.file.sections.get(2)!.slice();
  header.set(u32(zkey.nPublic + count), N_PUBLIC_AT);
  const moved = count * G1;
  const replaced = new Map([
    [2, header],
    [3, concatBytes(zkey.ic, zkey.c.subarray(0, moved))],
    [8, zkey.c.subarray(moved)],
    [10, concatBytes(movedCircuitHash(zkey.circuitHash, count), u32(0))],
  ]);
  const sections = new Map([...zkey.file.sections].map(([id, body]) => [id, replaced.get(id) ?? body]));
  return writeSections({ ...zkey.file, sections });
}
