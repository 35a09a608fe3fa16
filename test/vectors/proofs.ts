/** test/vectors/proofs.json: proofs of snarkjs by the size of their key, written by scripts/generate-proof-vectors.ts. */
import { readFileSync } from "node:fs";
import { concatBytes, fromHex, type Hex } from "../../runner/protocol/bytes.ts";
import type { Proof } from "../../runner/prover/proofEncoding.ts";

export interface ProofVector {
  V: readonly [bigint, bigint];
  proof: Proof;
}

export type ProofVectors = Map<number, { vkHash: Hex; proofs: ProofVector[] }>;

/** In the file: the ten words V, a, b, c of every proof. */
type Stored = Record<string, { vkHash: Hex; proofs: Hex[][] }>;

const hex = (word: bigint): Hex => `0x${word.toString(16).padStart(64, "0")}`;

/** V and the proof as the ten words of a contract's calldata. */
export function wordsOf({ V, proof: { a, b, c } }: ProofVector): bigint[] {
  return [...V, ...a, ...b, ...c];
}

/** The reverse of `wordsOf`. */
export function vectorOf(words: readonly bigint[]): ProofVector {
  const [v0, v1, a0, a1, b0, b1, b2, b3, c0, c1] = words as Ten;
  return { V: [v0, v1], proof: { a: [a0, a1], b: [b0, b1, b2, b3], c: [c0, c1] } };
}

type Ten = [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

/** A point's words as big-endian bytes. */
export function pointBytes(words: readonly bigint[]): Uint8Array {
  return concatBytes(...words.map((word) => fromHex(hex(word), 32)));
}

export function serializeProofVectors(all: ProofVectors): string {
  const stored: Stored = {};
  for (const [size, { vkHash, proofs }] of all)
    stored[size] = { vkHash, proofs: proofs.map((vector) => wordsOf(vector).map(hex)) };
  return `${JSON.stringify(stored, null, 2)}\n`;
}

export function readProofVectors(): ProofVectors {
  const text = readFileSync(new URL("proofs.json", import.meta.url), "utf8");
  return new Map(
    Object.entries(JSON.parse(text) as Stored).map(([size, { vkHash, proofs }]) => [
      Number(size),
      { vkHash, proofs: proofs.map((words) => vectorOf(words.map(BigInt))) },
    ]),
  );
}
