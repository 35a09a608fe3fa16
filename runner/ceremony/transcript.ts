/** What a ceremony was, in one document: its hash is what a release pins beside the keys it made. */
import type { Curve } from "ffjavascript";
import { commitKeyOf } from "../keys/fromZkey.ts";
import { readR1cs } from "../keys/r1cs.ts";
import { readZkey } from "../keys/zkeyFile.ts";
import { type Hex, toHex } from "../protocol/bytes.ts";
import { sha256 } from "../protocol/hash.ts";
import { type CommitKey, verifyingKey, vkHash } from "../protocol/key.ts";
import type { CheckedKey } from "./checkCeremony.ts";
import { type Contribution, contributionHash } from "./contributions.ts";
import type { CeremonyParameters } from "./parameters.ts";

export interface TranscriptContribution {
  name: string | null;
  /** BLAKE2b-512, as in its maker's attestation. */
  hash: Hex;
  /** Public value and log2 of the hashes of a beacon; null for a contribution. */
  beacon: { value: Hex; iterationsExp: number } | null;
}

export interface TranscriptKey {
  size: number;
  r1csHash: Hex;
  circuitHash: Hex;
  contributions: TranscriptContribution[];
  zkeyHash: Hex;
  vkHash: Hex;
}

export interface Transcript {
  protocol: 1;
  ptau: CeremonyParameters["ptau"];
  keys: TranscriptKey[];
}

/** A checked key with its public part. */
export interface FinishedKey extends CheckedKey {
  commitKey: CommitKey;
}

/** Adds the public part. @throws DeltapayError `key/not-moved` */
export async function finishedKey(curve: Curve, key: CheckedKey): Promise<FinishedKey> {
  return {
    ...key,
    commitKey: await commitKeyOf(curve, key.size, key.circuit.r1cs, readZkey(key.zkey)),
  };
}

function described(curve: Curve, contribution: Contribution): TranscriptContribution {
  const { name, beacon } = contribution;
  return {
    name,
    hash: toHex(contributionHash(curve, contribution)),
    beacon: beacon === null ? null : { value: toHex(beacon.value), iterationsExp: beacon.iterationsExp },
  };
}

/** A key's part of the transcript. */
export function transcriptKey(curve: Curve, key: FinishedKey): TranscriptKey {
  return {
    size: key.size,
    r1csHash: toHex(key.commitKey.r1csHash),
    circuitHash: toHex(readZkey(key.zkey).circuitHash),
    contributions: key.contributions.map((contribution) => described(curve, contribution)),
    zkeyHash: toHex(sha256(key.zkey)),
    vkHash: vkHash(key.commitKey),
  };
}

/** What a release pins of a key but whom it asks to trust. */
export function pinnedPart({ size, circuit, zkey, commitKey }: FinishedKey) {
  return {
    size,
    constraints: readR1cs(circuit.r1cs).constraints.length,
    r1csHash: toHex(sha256(circuit.r1cs)),
    wasmHash: toHex(sha256(circuit.wasm)),
    zkeyHash: toHex(sha256(zkey)),
    ic0: toHex(commitKey.ic0),
    basesHash: verifyingKey(commitKey).basesHash,
    vkHash: vkHash(commitKey),
  };
}

/** The document's bytes: JSON with two spaces and a line feed at its end, fields in the order above. */
export function encodeTranscript(transcript: Transcript): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(transcript, null, 2)}\n`);
}

/** SHA-256 of the document. */
export function transcriptHash(transcript: Transcript): Hex {
  return toHex(sha256(encodeTranscript(transcript)));
}

/** How many had a secret: a beacon is everybody's. */
export function secretContributions({ contributions }: Pick<TranscriptKey, "contributions">): number {
  return contributions.filter(({ beacon }) => beacon === null).length;
}
