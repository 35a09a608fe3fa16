/**
 * Whether a key that somebody hands on is the initial one with contributions to delta and nothing else. A second
 * implementation of what snarkjs's `zkey verify` does, which names what is wrong and draws 128-bit weights, not 32-bit ones.
 */
import type { Curve } from "ffjavascript";
import { checkFinite, checkInG2 } from "../keys/checkKey.ts";
import { readZkey, type Zkey } from "../keys/zkeyFile.ts";
import { equalBytes } from "../protocol/bytes.ts";
import { multiExp } from "../protocol/curve.ts";
import { ensure } from "../protocol/errors.ts";
import { checkContributions, sameRatio } from "./checkContributions.ts";
import { type Contribution, readContributions } from "./contributions.ts";

/** 128 bits. */
const WEIGHT_BYTES = 16;
/** Most that one call of getRandomValues gives. */
const RANDOM_CHUNK = 65_536;

/** Sections that no contribution changes, and what they hold. */
const FIXED: readonly (readonly [id: number, name: string])[] = [
  [1, "protocol"],
  [3, "bases (IC)"],
  [4, "coefficients"],
  [5, "A"],
  [6, "B in G1"],
  [7, "B in G2"],
];

function randomBytes(length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_CHUNK)
    crypto.getRandomValues(out.subarray(at, Math.min(length, at + RANDOM_CHUNK)));
  return out;
}

/** All but delta, C, H and the contributions are those of the initial key. */
function checkFixed(initial: Zkey, key: Zkey): void {
  ensure(
    equalBytes(key.circuitHash, initial.circuitHash),
    "ceremony/other-circuit",
    "the key is of another circuit or other powers of tau, or was not moved before contributions began",
    { field: "circuit hash", hint: "take the key from this ceremony" },
  );
  const same = (left: Uint8Array | undefined, right: Uint8Array | undefined, name: string): void =>
    ensure(
      left !== undefined && right !== undefined && equalBytes(left, right),
      "ceremony/changed-key",
      `${name}: a contribution may change delta alone`,
      { field: name, hint: "do not use this key" },
    );
  const shape = ({ nVars, nPublic, domainSize }: Zkey): Uint8Array =>
    new TextEncoder().encode(`${nVars} ${nPublic} ${domainSize}`);
  same(shape(key), shape(initial), "shape");
  for (const name of ["alpha1", "beta1", "beta2", "gamma2"] as const) same(key[name], initial[name], name);
  for (const [id, name] of FIXED) same(key.file.sections.get(id), initial.file.sections.get(id), name);
  ensure(
    key.file.sections.size === initial.file.sections.size,
    "ceremony/changed-key",
    "the file has sections no key has",
    { field: "sections", hint: "do not use this key" },
  );
}

/** The points of a section are the initial ones divided by delta. */
async function checkDivided(curve: Curve, name: "c" | "h", initial: Zkey, key: Zkey): Promise<void> {
  const [before, after] = [initial[name], key[name]];
  if (before.length === 0) return;
  for (let at = 0; at < after.length; at += 64)
    checkFinite(curve.G1, after.slice(at, at + 64), `${name.toUpperCase()}[${at / 64}]`);
  const weights = randomBytes((before.length / 64) * WEIGHT_BYTES);
  const [left, right] = [await multiExp(curve, before, weights), await multiExp(curve, after, weights)];
  ensure(
    await curve.pairingEq(left, initial.delta2.slice(), curve.G1.neg(right), key.delta2.slice()),
    "ceremony/changed-key",
    `${name.toUpperCase()} is not the initial key's divided by delta`,
    { field: name.toUpperCase(), hint: "do not use this key" },
  );
}

/**
 * The key follows from the moved initial key by the contributions it records.
 * @param initial the moved key rebuilt from circuit and powers of tau, never one that was received
 * @returns the contributions, oldest first; a key without any is accepted
 * @throws DeltapayError `key/malformed`, `ceremony/other-circuit`, `ceremony/changed-key`, and as `checkContributions`
 */
export async function checkReceived(
  curve: Curve,
  initial: Uint8Array,
  received: Uint8Array,
  field = "key.zkey",
): Promise<Contribution[]> {
  const start = readZkey(initial, "initial key");
  const key = readZkey(received, field);
  checkFixed(start, key);
  const contributions = readContributions(key);
  const delta = await checkContributions(curve, key.circuitHash, contributions);
  const { G1, G2 } = curve;
  checkFinite(G1, key.delta1.slice(), "delta_1");
  checkInG2(curve, key.delta2.slice(), "delta_2");
  ensure(
    equalBytes(key.delta1, delta),
    "ceremony/delta-does-not-follow",
    "delta_1 is not the delta of the last contribution",
    { field: "delta_1", hint: "do not use this key" },
  );
  ensure(
    await sameRatio(curve, G1.gAffine, key.delta1.slice(), G2.gAffine, key.delta2.slice()),
    "ceremony/delta-does-not-follow",
    "delta_2 is not delta_1's counterpart in G2",
    { field: "delta_2", hint: "do not use this key" },
  );
  await checkDivided(curve, "c", start, key);
  await checkDivided(curve, "h", start, key);
  return contributions;
}

/**
 * The key has all contributions of the earlier one, unchanged, and exactly one more.
 * @throws DeltapayError `ceremony/nothing-added`, `ceremony/not-a-continuation`
 */
export function checkOneMore(earlier: Uint8Array, later: Uint8Array): void {
  const [before, after] = [readZkey(earlier), readZkey(later)];
  ensure(
    after.contributions > before.contributions ||
      !equalBytes(after.contributionRecords, before.contributionRecords),
    "ceremony/nothing-added",
    "this is the key as it was: nothing was contributed",
    { field: "contributions", hint: "contribute to it first" },
  );
  const kept = after.contributionRecords.subarray(0, before.contributionRecords.length);
  ensure(
    after.contributions === before.contributions + 1 && equalBytes(kept, before.contributionRecords),
    "ceremony/not-a-continuation",
    `the key does not go on from the ${before.contributions} contributions there are by one more`,
    { field: "contributions", hint: "fetch the key as it is now and contribute to that one" },
  );
}
