/** A small ceremony: real powers of tau by snarkjs's multi-party commands, the circuit of 14 slots. */

import * as path from "node:path";
import { blake2b } from "@noble/hashes/blake2.js";
import * as snarkjs from "snarkjs";
import { transcriptPoint } from "../../runner/ceremony/checkContributions.ts";
import {
  type Contribution,
  hashedContribution,
  readContributions,
} from "../../runner/ceremony/contributions.ts";
import { CeremonyFolder } from "../../runner/ceremony/folder.ts";
import { initCeremony } from "../../runner/ceremony/init.ts";
import { readZkey } from "../../runner/keys/zkeyFile.ts";
import { concatBytes, u32 } from "../../runner/protocol/bytes.ts";
import { type Curve, loadCurve } from "../../runner/protocol/curve.ts";
import { HEADER_AT, withHeader, withSections } from "../keys/zkeyEdits.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

export const SIZE = 14;
const BEACON = "c0".repeat(32);

/** Powers of tau with three contributions, one of them a beacon, prepared for phase 2. */
export async function makePtau(power: number): Promise<Uint8Array> {
  const { powersOfTau } = snarkjs;
  const file = (): snarkjs.MemFile => ({ type: "mem" });
  const [fresh, one, two, three, prepared] = [file(), file(), file(), file(), file()];
  await powersOfTau.newAccumulator(await loadCurve(), power, fresh);
  await powersOfTau.contribute(fresh, one, "one", "one's entropy");
  await powersOfTau.contribute(one, two, "two", "two's entropy");
  await powersOfTau.beacon(two, three, "three", BEACON, 10);
  await powersOfTau.preparePhase2(three, prepared);
  return prepared.data!;
}

type Context = Parameters<typeof temporaryDirectory>[0];

/** An empty ceremony in a folder of its own. */
export async function begun(
  context: Context,
  ptau: Uint8Array,
  sizes: readonly number[] = [SIZE],
): Promise<CeremonyFolder> {
  const directory = path.join(temporaryDirectory(context), "ceremony");
  await initCeremony(await loadCurve(), { directory, ptau, sizes, acceptUnknownPtau: true });
  return new CeremonyFolder(directory);
}

/** A contribution as it lies in the file. */
function encodeContribution(
  contribution: Contribution,
  parameters: Uint8Array = new Uint8Array(0),
  type = 0,
): Uint8Array {
  const { deltaAfter, g1s, g1sx, g2spx, transcript } = contribution;
  return concatBytes(deltaAfter, g1s, g1sx, g2spx, transcript, u32(type), u32(parameters.length), parameters);
}

/** The key with one record more behind its contributions. */
export function withRecord(zkey: Uint8Array, record: Uint8Array): Uint8Array {
  const { circuitHash, contributions, contributionRecords } = readZkey(zkey);
  return withSections(zkey, [
    [10, concatBytes(circuitHash, u32(contributions + 1), contributionRecords, record)],
  ]);
}

/** The key with its last contribution changed. */
export function withLast(zkey: Uint8Array, change: Partial<Contribution>): Uint8Array {
  const { circuitHash, contributions, contributionRecords } = readZkey(zkey);
  const last = readContributions(readZkey(zkey)).at(-1)!;
  const before = contributionRecords.subarray(0, contributionRecords.length - lastLength(last));
  const record = encodeContribution({ ...last, ...change }, nameOf(last));
  return withSections(zkey, [[10, concatBytes(circuitHash, u32(contributions), before, record)]]);
}

function nameOf({ name }: Contribution): Uint8Array {
  const bytes = new TextEncoder().encode(name ?? "");
  return name === null ? bytes : concatBytes(Uint8Array.of(1, bytes.length), bytes);
}

function lastLength(last: Contribution): number {
  return 3 * 64 + 128 + 64 + 4 + 4 + nameOf(last).length;
}

/**
 * A contribution by hand, with a secret of the attacker's choice and a proof that is honest unless told otherwise.
 * @param after what its transcript covers: default all contributions of the key
 */
export async function contributeByHand(
  curve: Curve,
  zkey: Uint8Array,
  secret: bigint,
  options: { circuitHash?: Uint8Array; parameters?: Uint8Array; type?: number } = {},
): Promise<Uint8Array> {
  const { G1, G2, Fr } = curve;
  const parsed = readZkey(zkey);
  const factor = Fr.e(secret);
  const times = (point: Uint8Array): Uint8Array => G1.toAffine(G1.timesFr(point, factor));
  const g1s = times(G1.toAffine(G1.timesScalar(G1.g, 7n)));
  const g1sx = times(g1s);
  const earlier = readContributions(parsed).map((contribution) => hashedContribution(curve, contribution));
  const covered = [options.circuitHash ?? parsed.circuitHash, ...earlier];
  const transcript = blake2b(concatBytes(...covered, G1.toUncompressed(g1s), G1.toUncompressed(g1sx)), {
    dkLen: 64,
  });
  const g2spx = G2.toAffine(G2.timesFr(transcriptPoint(curve, transcript), factor));
  const deltaAfter = times(parsed.delta1.slice());
  const record = { deltaAfter, g1s, g1sx, g2spx, transcript, name: null, beacon: null };
  const inverse = Fr.inv(factor);
  const divided = async (points: Uint8Array): Promise<Uint8Array> =>
    points.length === 0 ? points : G1.batchApplyKey(points.slice(), inverse, Fr.one);
  const moved = withSections(zkey, [
    [8, await divided(parsed.c)],
    [9, await divided(parsed.h)],
  ]);
  const delta2 = G2.toAffine(G2.timesFr(parsed.delta2.slice(), factor));
  const headed = withHeader(withHeader(moved, HEADER_AT.delta1, deltaAfter), HEADER_AT.delta2, delta2);
  return withRecord(headed, encodeContribution(record, options.parameters, options.type));
}
