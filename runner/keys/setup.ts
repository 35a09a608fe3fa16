/** Groth16 setup of a circuit whose inputs become committed wires. */

import { shake256 } from "@noble/hashes/sha3.js";
import type { Curve } from "ffjavascript";
import * as snarkjs from "snarkjs";
import { concatBytes, tag, toHex, u32 } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { DEV_SEED, devPtau, devSecrets, type OnProgress } from "./devPtau.ts";
import { KEY_TAGS } from "./tags.ts";
import { moveCommitted } from "./zkeyFile.ts";

/** The least snarkjs takes. A dev key gains nothing from a slow beacon. */
const BEACON_ITERATIONS_EXP = 10;

/** yhat | h[L] | s[L] | blind. */
export function committedWires(size: number): number {
  return 2 * size + 2;
}

/** log2 of the evaluation domain of size L = 2^n - 2: n. */
export function domainPower(size: number): number {
  return Math.log2(size + 2);
}

/**
 * The moved key before any contribution (delta = 1): what every contributor rebuilds from r1cs and ptau.
 * @throws DeltapayError `key/ptau-too-small`
 */
export async function initialKey(size: number, r1cs: Uint8Array, ptau: Uint8Array): Promise<Uint8Array> {
  const fresh: snarkjs.MemFile = { type: "mem" };
  const circuitHash = await snarkjs.zKey.newZKey(r1cs, ptau, fresh);
  if (circuitHash === -1)
    throw new DeltapayError("key/ptau-too-small", `the powers of tau do not fit a key of size ${size}`, {
      field: "ptau",
      hint: `use powers of tau of power ${domainPower(size)}`,
    });
  return moveCommitted(fresh.data!, committedWires(size));
}

/** Makes delta public but different from 1 and from that of every other size, the same bytes every time. */
export async function devBeacon(size: number, initial: Uint8Array): Promise<Uint8Array> {
  const hash = shake256(concatBytes(tag(KEY_TAGS.devBeacon), new TextEncoder().encode(DEV_SEED), u32(size)), {
    dkLen: 32,
  });
  const key: snarkjs.MemFile = { type: "mem" };
  await snarkjs.zKey.beacon(initial, key, "dev", toHex(hash).slice(2), BEACON_ITERATIONS_EXP);
  return key.data!;
}

export interface DevSetup {
  ptau: Uint8Array;
  initial: Uint8Array;
  zkey: Uint8Array;
}

/** The dev key of a compiled circuit with the files it came from. */
export async function devSetup(
  curve: Curve,
  size: number,
  r1cs: Uint8Array,
  onProgress: OnProgress = () => {},
): Promise<DevSetup> {
  const ptau = await devPtau(curve, domainPower(size), devSecrets(size), onProgress);
  onProgress("setup", 0, 1);
  const initial = await initialKey(size, r1cs, ptau);
  onProgress("setup", 1, 1);
  onProgress("beacon", 0, 1);
  const zkey = await devBeacon(size, initial);
  onProgress("beacon", 1, 1);
  return { ptau, initial, zkey };
}
