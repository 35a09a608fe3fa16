/** Prepared powers of tau (.ptau): read, recognised, and checked before a key is made from them. */
import { blake2b } from "@noble/hashes/blake2.js";
import * as snarkjs from "snarkjs";
import { readSections, sectionOf } from "../keys/sections.ts";
import { domainPower } from "../keys/setup.ts";
import { type Hex, readUintLE, toHex } from "../protocol/bytes.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { Q } from "../protocol/field.ts";
import { PUBLIC_PTAU } from "./publicPtau.ts";

const G1 = 64;
const G2 = 128;
/** The first challenge of a ceremony of this power takes a minute to compute; each step doubles it. */
const MAX_VERIFIED_POWER = 16;

export interface Ptau {
  bytes: Uint8Array;
  /** It serves circuits of up to 2^power constraints. */
  power: number;
  /** Of the ceremony it was cut out of. */
  ceremonyPower: number;
  blake2b: Hex;
  /** File name of the public one it is; null for any other. */
  name: string | null;
}

function refused(what: string, hint: string): DeltapayError {
  return new DeltapayError("ceremony/bad-ptau", `the powers of tau: ${what}`, { field: "ptau", hint });
}

const FETCH = "fetch it again and compare its BLAKE2b-512 with the published one";

/** Every section has the size that the power implies. */
function checkSections(bytes: Uint8Array): { power: number; ceremonyPower: number } {
  let file: ReturnType<typeof readSections>;
  try {
    file = readSections(bytes, "ptau", "ptau");
  } catch (error) {
    if (!(error instanceof DeltapayError)) throw error;
    throw refused(`${error.message} (${bytes.length} bytes): cut, damaged, or another kind of file`, FETCH);
  }
  const exact = (id: number, length: number): Uint8Array => {
    try {
      return sectionOf(file, id, length);
    } catch (error) {
      if (error instanceof DeltapayError) throw refused(error.message, FETCH);
      throw error;
    }
  };
  const header = exact(1, 44);
  const number = (at: number): number => Number(readUintLE(header, at, 4));
  if (number(0) !== 32 || readUintLE(header, 4, 32) !== Q)
    throw refused("not over BN254", "use those of BN254");
  const [power, ceremonyPower] = [number(36), number(40)];
  if (power < 1 || power > 28 || ceremonyPower < power || ceremonyPower > 28)
    throw refused(`power ${power} of ${ceremonyPower}`, FETCH);
  if (!file.sections.has(12))
    throw refused("not prepared for phase 2", "run: snarkjs powersoftau prepare phase2");
  const count = 2 ** power;
  exact(2, (2 * count - 1) * G1);
  exact(3, count * G2);
  exact(4, count * G1);
  exact(5, count * G1);
  exact(6, G2);
  exact(12, (4 * count - 1) * G1);
  exact(13, (2 * count - 1) * G2);
  exact(14, (2 * count - 1) * G1);
  exact(15, (2 * count - 1) * G1);
  return { power, ceremonyPower };
}

/**
 * Reads powers of tau and recognises the public ones.
 * @throws DeltapayError `ceremony/bad-ptau`: cut, damaged, not prepared, another curve or kind of file
 */
export function readPtau(bytes: Uint8Array): Ptau {
  const powers = checkSections(bytes);
  const hash = toHex(blake2b(bytes, { dkLen: 64 }));
  const name = PUBLIC_PTAU.find((known) => known.blake2b === hash)?.name ?? null;
  return { bytes, ...powers, blake2b: hash, name };
}

/**
 * The powers of tau serve these key sizes and are the public ones; or, where others are accepted, follow from their own
 * recorded contributions.
 * @param acceptUnpinned the user vouches for the makers of powers of tau that are not in the list
 * @throws DeltapayError `ceremony/ptau-too-small`, `ceremony/unknown-ptau`, `ceremony/bad-ptau`
 */
export async function checkPtau(
  ptau: Ptau,
  sizes: readonly number[],
  acceptUnpinned: boolean,
): Promise<void> {
  const needed = domainPower(Math.max(...sizes));
  ensure(
    ptau.power >= needed,
    "ceremony/ptau-too-small",
    `the powers of tau are of power ${ptau.power}, a key of ${Math.max(...sizes)} slots needs ${needed}`,
    {
      field: "ptau",
      hint: `use powersOfTau28_hez_final_${String(needed).padStart(2, "0")}.ptau or a larger one`,
    },
  );
  if (ptau.name !== null) return;
  ensure(
    acceptUnpinned,
    "ceremony/unknown-ptau",
    `these powers of tau are none of the public ones: BLAKE2b-512 ${ptau.blake2b}`,
    {
      field: "ptau",
      hint: "whoever made them alone forges proofs; --accept-unknown-ptau goes on if you vouch for their makers",
    },
  );
  ensure(
    ptau.ceremonyPower <= MAX_VERIFIED_POWER,
    "ceremony/unknown-ptau",
    `powers of tau cut out of 2^${ptau.ceremonyPower} take too long to verify here`,
    { field: "ptau", hint: "use the public ones" },
  );
  await checkFollows(ptau);
}

/** BLAKE2b-512 of those this process has verified. */
const verified = new Set<Hex>();

/** snarkjs's check that the powers follow from the recorded contributions, and the prepared points from the powers. */
async function checkFollows({ bytes, blake2b }: Ptau): Promise<void> {
  if (verified.has(blake2b)) return;
  const reasons: string[] = [];
  const collect = (message: string): void => void reasons.push(message);
  const logger = { debug: () => {}, info: () => {}, warn: collect, error: collect };
  const follows = await snarkjs.powersOfTau.verify(bytes, logger).catch((error: Error) => {
    reasons.push(error.message);
    return false;
  });
  if (!follows)
    throw refused(
      `they do not follow from their contributions: ${reasons.join("; ")}`,
      "use the public ones, or make them again",
    );
  verified.add(blake2b);
}
