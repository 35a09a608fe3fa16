/** Taking part: every key is checked first, then each delta multiplied by a secret of its own that nobody keeps. */
import type { Curve } from "ffjavascript";
import * as snarkjs from "snarkjs";
import { readZkey } from "../keys/zkeyFile.ts";
import { toHex } from "../protocol/bytes.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { type Attested, attestationText } from "./attestation.ts";
import { type CheckedKey, type CheckOptions, checkCeremony } from "./checkCeremony.ts";
import { checkOneMore, checkReceived } from "./checkReceived.ts";
import { type Beacon, contributionHash, readContributions } from "./contributions.ts";
import type { CeremonyFolder } from "./folder.ts";
import { NextRound } from "./nextRound.ts";
import { eachSize } from "./progress.ts";

/** Bytes of UTF-8 that a name may have. */
export const MAX_NAME = 64;

export interface Made {
  round: number;
  attestation: string;
  keys: Attested[];
}

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

/** What an interrupted run made of a key, when it is right and by the same name. */
async function usable(
  curve: Curve,
  { initial, zkey }: CheckedKey,
  left: Uint8Array | undefined,
  name: string,
): Promise<Uint8Array | undefined> {
  if (left === undefined) return undefined;
  try {
    const contributions = await checkReceived(curve, initial, left);
    checkOneMore(zkey, left);
    return contributions.at(-1)!.name === name ? left : undefined;
  } catch (error) {
    if (error instanceof DeltapayError) return undefined;
    throw error;
  }
}

/**
 * Checks the whole ceremony, then makes the next round of it.
 * @throws DeltapayError `ceremony/closed`, `ceremony/bad-name`, `ceremony/overtaken`, `ceremony/cannot-write`, and as
 *   `checkCeremony`: nothing is contributed to keys that are not right
 */
export async function makeRound(
  curve: Curve,
  folder: CeremonyFolder,
  name: string,
  step: Step,
  options: CheckOptions & { beacon?: Beacon } = {},
): Promise<Made> {
  checkName(name);
  const { parameters, round, keys } = await checkCeremony(curve, folder, options);
  ensure(
    keys[0]!.contributions.at(-1)?.beacon == null,
    "ceremony/closed",
    "a beacon has ended this ceremony",
    { field: "contributions", hint: "finalize it: deltapay ceremony finalize" },
  );
  const next = new NextRound(folder, name);
  const bySize = new Map(keys.map((key) => [key.size, key]));
  const made = await eachSize(
    "contributing",
    [...bySize.keys()],
    options.onProgress ?? (() => {}),
    async (size) => {
      const key = bySize.get(size)!;
      const left = await usable(curve, key, next.read(size), name);
      const zkey = left ?? (await nextKey(curve, key.initial, key.zkey, step));
      if (left === undefined) next.write(size, zkey);
      return attested(curve, size, zkey);
    },
  );
  const attestation = attestationText(parameters, round + 1, name, made, options.beacon ?? null);
  return { round: next.finish(attestation), attestation, keys: made };
}
