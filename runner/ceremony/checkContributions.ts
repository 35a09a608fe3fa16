/** Whether a key's contributions follow from one another: the part of its check that needs no other file. */
import { blake2b } from "@noble/hashes/blake2.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ChaCha, type Curve } from "ffjavascript";
import { checkFinite, checkInG2 } from "../keys/checkKey.ts";
import { concatBytes, equalBytes, readUintLE } from "../protocol/bytes.ts";
import { ensure } from "../protocol/errors.ts";
import { Q } from "../protocol/field.ts";
import { type Beacon, type Contribution, hashedContribution } from "./contributions.ts";

/** A beacon of 2^20 hashes takes some seconds to check for each key; everybody has to. */
export const MAX_BEACON_ITERATIONS_EXP = 20;

/** Eight big-endian words. */
function seedOf(hash: Uint8Array): number[] {
  const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  return Array.from({ length: 8 }, (_, i) => view.getUint32(4 * i));
}

/** The point of G2 a proof is made over: nobody knows its logarithm, and it is another one for every transcript. */
export function transcriptPoint(curve: Curve, transcript: Uint8Array): Uint8Array {
  return curve.G2.toAffine(curve.G2.fromRng(new ChaCha(seedOf(transcript))));
}

/** Whether b = k a and d = k c for one k: e(a, d) = e(b, c). */
export function sameRatio(
  curve: Curve,
  a: Uint8Array,
  b: Uint8Array,
  c: Uint8Array,
  d: Uint8Array,
): Promise<boolean> {
  return curve.pairingEq(a, d, curve.G1.neg(b), c);
}

/** Every coordinate below q: else one point would have two encodings. */
function checkCanonical(point: Uint8Array, field: string): void {
  for (let at = 0; at < point.length; at += 32)
    ensure(
      readUintLE(point, at, 32) < Q,
      "key/not-canonical",
      `${field} has a coordinate that is not below q`,
      {
        field,
      },
    );
}

function checkPoints(curve: Curve, contribution: Contribution, field: string): void {
  for (const name of ["deltaAfter", "g1s", "g1sx"] as const) {
    checkCanonical(contribution[name], `${field}.${name}`);
    checkFinite(curve.G1, contribution[name], `${field}.${name}`);
  }
  checkCanonical(contribution.g2spx, `${field}.g2spx`);
  checkInG2(curve, contribution.g2spx, `${field}.g2spx`);
}

/** A beacon's points follow from its public value alone. */
function checkBeacon(curve: Curve, { g1s, g1sx }: Contribution, beacon: Beacon, field: string): void {
  const { iterationsExp, value } = beacon;
  ensure(
    iterationsExp <= MAX_BEACON_ITERATIONS_EXP,
    "ceremony/bad-beacon",
    `a beacon of 2^${iterationsExp} hashes`,
    { field, hint: `at most 2^${MAX_BEACON_ITERATIONS_EXP}` },
  );
  let hash = value;
  for (let i = 0; i < 2 ** iterationsExp; i++) hash = sha256(hash);
  const rng = new ChaCha(seedOf(hash));
  const secret = curve.Fr.fromRng(rng);
  const expected = curve.G1.toAffine(curve.G1.fromRng(rng));
  ensure(
    curve.G1.eq(expected, g1s) && curve.G1.eq(curve.G1.timesFr(expected, secret), g1sx),
    "ceremony/bad-beacon",
    "the beacon's secret does not follow from its public value",
    { field, hint: "do not use this key" },
  );
}

async function checkOne(
  curve: Curve,
  bound: Uint8Array,
  before: Uint8Array,
  contribution: Contribution,
  field: string,
): Promise<void> {
  const { deltaAfter, g1s, g1sx, g2spx, transcript, beacon } = contribution;
  checkPoints(curve, contribution, field);
  const expected = blake2b(concatBytes(bound, curve.G1.toUncompressed(g1s), curve.G1.toUncompressed(g1sx)), {
    dkLen: 64,
  });
  ensure(
    equalBytes(transcript, expected),
    "ceremony/other-transcript",
    `${field}: its proof was made for another circuit or after other contributions`,
    { field, hint: "contribute to the key as it is now" },
  );
  ensure(
    !curve.G1.eq(before, deltaAfter) && !curve.G1.eq(g1s, g1sx),
    "ceremony/delta-unchanged",
    `${field} leaves delta as it was`,
    { field, hint: "contribute with a secret of your own" },
  );
  const point = transcriptPoint(curve, transcript);
  ensure(
    await sameRatio(curve, g1s, g1sx, point, g2spx),
    "ceremony/bad-proof",
    `${field} does not show that its maker knew the factor`,
    { field, hint: "contribute again" },
  );
  ensure(
    await sameRatio(curve, before, deltaAfter, point, g2spx),
    "ceremony/delta-does-not-follow",
    `${field}: delta is not the earlier delta times the proven factor`,
    { field, hint: "contribute again" },
  );
  if (beacon !== null) checkBeacon(curve, contribution, beacon, field);
}

/**
 * Every contribution is proven, bound to the circuit hash and to all before it, and changes delta; a beacon comes last.
 * @returns delta * G1 after the last one
 * @throws DeltapayError `ceremony/replayed`, `ceremony/other-transcript`, `ceremony/delta-unchanged`,
 *   `ceremony/bad-proof`, `ceremony/delta-does-not-follow`, `ceremony/bad-beacon`, `ceremony/beacon-not-last`,
 *   `key/infinity`, `key/off-curve`, `key/wrong-subgroup`, `key/not-canonical`
 */
export async function checkContributions(
  curve: Curve,
  circuitHash: Uint8Array,
  contributions: readonly Contribution[],
): Promise<Uint8Array> {
  let bound = circuitHash;
  let delta = curve.G1.gAffine;
  for (const [i, contribution] of contributions.entries()) {
    const field = `contributions[${i}]`;
    const twin = contributions.slice(0, i).findIndex(({ g1sx }) => equalBytes(g1sx, contribution.g1sx));
    ensure(twin === -1, "ceremony/replayed", `${field} is contributions[${twin}] once more`, {
      field,
      hint: "contribute with a secret of your own",
    });
    ensure(
      contribution.beacon === null || i === contributions.length - 1,
      "ceremony/beacon-not-last",
      `${field} is a beacon, and there are contributions after it`,
      { field, hint: "a beacon ends a ceremony" },
    );
    await checkOne(curve, bound, delta, contribution, field);
    bound = concatBytes(bound, hashedContribution(curve, contribution));
    delta = contribution.deltaAfter;
  }
  return delta;
}
