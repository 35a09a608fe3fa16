/** One key's next contribution, made and checked; in Node and in browsers. */
import type { Curve } from "ffjavascript";
import * as snarkjs from "snarkjs";
import { readZkey } from "../keys/zkeyFile.ts";
import { toHex } from "../protocol/bytes.ts";
import { ensure } from "../protocol/errors.ts";
import type { Attested } from "./attestation.ts";
import { checkOneMore, checkReceived } from "./checkReceived.ts";
import { type Beacon, contributionHash, readContributions } from "./contributions.ts";

/** Bytes of UTF-8 that a name may have. */
export const MAX_NAME = 64;

/**
 * A name as it goes into the keys: 1 to 64 bytes, printable, without spaces around it.
 * @throws DeltapayError `ceremony/bad-name`
 */
export function checkName(name: string): string {
  ensure(
    name === name.trim() &&
      /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(name) &&
      new TextEncoder().encode(name).length <= MAX_NAME,
    "ceremony/bad-name",
    `a name has 1 to ${MAX_NAME} bytes of letters, digits, signs and single-line spaces`,
    { field: "name", hint: "choose another name" },
  );
  return name;
}

/** Makes one key's next contribution. */
export type Step = (zkey: Uint8Array, to: snarkjs.MemFile) => Promise<unknown>;

/**
 * A contribution with a fresh secret: 64 bytes of the system's random source, mixed with what was typed.
 * @param entropy may be empty: the system's random source alone is enough
 */
export function secretStep(name: string, entropy: string): Step {
  return (zkey, to) => snarkjs.zKey.contribute(zkey, to, name, `${entropy}\n${crypto.randomUUID()}`);
}

/** A contribution whose secret everybody can compute from a public value. */
export function beaconStep(name: string, { value, iterationsExp }: Beacon): Step {
  return (zkey, to) => snarkjs.zKey.beacon(zkey, to, name, toHex(value).slice(2), iterationsExp);
}

/**
 * One key with one contribution more, checked as others will check it.
 * @throws DeltapayError as `checkReceived`, `checkOneMore`
 */
export async function nextKey(
  curve: Curve,
  initial: Uint8Array,
  zkey: Uint8Array,
  step: Step,
): Promise<Uint8Array> {
  const file: snarkjs.MemFile = { type: "mem" };
  await step(zkey, file);
  const made = file.data!;
  await checkReceived(curve, initial, made, "the key just made");
  checkOneMore(zkey, made);
  return made;
}

/** Hash of a key's last contribution. */
export function attested(curve: Curve, size: number, zkey: Uint8Array): Attested {
  const last = readContributions(readZkey(zkey)).at(-1)!;
  return { size, contributionHash: toHex(contributionHash(curve, last)) };
}
