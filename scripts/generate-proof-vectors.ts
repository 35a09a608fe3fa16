/**
 * Proofs made by snarkjs under the dev keys, for the tests of the verifiers.
 *
 *   node scripts/generate-proof-vectors.ts [--prove] [--check]
 *
 * Proofs are randomised, so test/vectors/proofs.json is kept and new ones are made with --prove alone: after a pinned key
 * changed. contracts/test/vectors/ProofVectors.sol is written from it. --check writes nothing, and fails when that file
 * differs or a proof does not verify under its pinned key. The statements are
 * V = IC_0 + yhat I + sum h_k H_k + sum s_k S_k + blind Z for small fixed h and s, so neither file holds a secret.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadProvingKey, type ProvingKey } from "../runner/keys/load.ts";
import { pointWords } from "../runner/protocol/bytes.ts";
import { decodeKeyPoints } from "../runner/protocol/commitment.ts";
import { loadCurve } from "../runner/protocol/curve.ts";
import { vkHash } from "../runner/protocol/key.ts";
import { type GroupWitness, witnessStatement } from "../runner/protocol/statement.ts";
import type { Proof } from "../runner/prover/proofEncoding.ts";
import { Prover, verifyProof } from "../runner/prover/prove.ts";
import {
  type ProofVector,
  type ProofVectors,
  pointBytes,
  readProofVectors,
  serializeProofVectors,
} from "../test/vectors/proofs.ts";

const JSON_FILE = new URL("../test/vectors/proofs.json", import.meta.url);
const SOLIDITY_FILE = new URL("../contracts/test/vectors/ProofVectors.sol", import.meta.url);

/** How many proofs of which key. */
const WANTED = [
  { size: 14, count: 5 },
  { size: 30, count: 1 },
  { size: 62, count: 5 },
  { size: 510, count: 2 },
] as const;

/** Keys whose proofs the Solidity tests take, and how many. */
const IN_SOLIDITY = [
  { size: 14, count: 4 },
  { size: 30, count: 1 },
] as const;

function witnessOf(size: number, index: number): GroupWitness {
  const h = Array.from({ length: size }, (_, k) => BigInt(3 * k + index + 1));
  const s = Array.from({ length: size }, (_, k) => BigInt(k * k + 2 * index + 1));
  const yhat = h.reduce((sum, value, k) => sum + value * s[k]!, 0n);
  return { yhat, h, s, blind: BigInt(1000 + index) };
}

async function makeVectors(key: ProvingKey, count: number): Promise<ProofVector[]> {
  const curve = await loadCurve();
  const points = await decodeKeyPoints(curve, key.commitKey);
  const prover = new Prover(key);
  const vectors: ProofVector[] = [];
  for (let index = 0; index < count; index++) {
    const witness = witnessOf(key.commitKey.size, index);
    const V = await witnessStatement(curve, points, witness);
    const [x, y] = pointWords(V);
    vectors.push({ V: [x, y], proof: await prover.prove(witness, V) });
  }
  return vectors;
}

async function makeAll(): Promise<ProofVectors> {
  const all: ProofVectors = new Map();
  for (const { size, count } of WANTED) {
    const key = await loadProvingKey(size);
    all.set(size, { vkHash: vkHash(key.commitKey), proofs: await makeVectors(key, count) });
  }
  return all;
}

/** What is wrong with the proofs that are kept. */
async function problemsOf(all: ProofVectors): Promise<string[]> {
  const problems: string[] = [];
  for (const { size, count } of WANTED) {
    const { commitKey } = await loadProvingKey(size);
    const kept = all.get(size);
    if (kept?.vkHash !== vkHash(commitKey) || kept.proofs.length !== count)
      problems.push(`proofs of key ${size} are of another key, or too few`);
    for (const [i, { V, proof }] of (kept?.proofs ?? []).entries())
      if (!(await verifyProof(commitKey, pointBytes(V), proof)))
        problems.push(`proof ${i} of key ${size} does not verify`);
  }
  return problems;
}

const hex = (value: bigint): string => `0x${value.toString(16).padStart(64, "0")}`;

function solidityArray(words: readonly bigint[], indent: string): string {
  const [first, ...rest] = words.map(hex);
  return [`[\n${indent}    uint256(${first})`, ...rest.map((word) => `${indent}    ${word}`)]
    .join(",\n")
    .concat(`\n${indent}]`);
}

function solidityCase(index: number, V: readonly bigint[], { a, b, c }: Proof): string {
  const pad = "            ";
  return [
    `        if (index == ${index}) {`,
    `${pad}V = ${solidityArray(V, pad)};`,
    `${pad}proof.a = ${solidityArray(a, pad)};`,
    `${pad}proof.b = ${solidityArray(b, pad)};`,
    `${pad}proof.c = ${solidityArray(c, pad)};`,
    "        }",
  ].join("\n");
}

function solidityFunction(size: number, hash: string, vectors: readonly ProofVector[]): string {
  return `    uint256 internal constant COUNT_${size} = ${vectors.length};
    bytes32 internal constant VK_HASH_${size} = ${hash};

    /// @notice A statement and its proof under the key of size ${size}; index < ${vectors.length}.
    function key${size}(uint256 index)
        internal
        pure
        returns (uint256[2] memory V, ILoraVerifier.Proof memory proof)
    {
${vectors.map(({ V, proof }, index) => solidityCase(index, V, proof)).join("\n")}
    }`;
}

function soliditySource(all: ProofVectors): string {
  const functions = IN_SOLIDITY.map(({ size, count }) => {
    const { vkHash, proofs } = all.get(size)!;
    return solidityFunction(size, vkHash, proofs.slice(0, count));
  });
  return `// SPDX-License-Identifier: GPL-3.0-or-later
// Made by scripts/generate-proof-vectors.ts with snarkjs under the dev keys. Do not edit.
pragma solidity ^0.8.37;

import {ILoraVerifier} from "../../interfaces/ILoraVerifier.sol";

/// @notice Proofs as a contributor makes them.
library ProofVectors {
${functions.join("\n\n")}
}
`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { prove: { type: "boolean", default: false }, check: { type: "boolean", default: false } },
  });
  const all = values.prove ? await makeAll() : readProofVectors();
  const problems = await problemsOf(all);
  const source = soliditySource(all);
  if (values.check) {
    if ((await readFile(SOLIDITY_FILE, "utf8")) !== source)
      problems.push(`${fileURLToPath(SOLIDITY_FILE)} differs from what proofs.json gives`);
  } else if (problems.length === 0) {
    if (values.prove) await writeFile(JSON_FILE, serializeProofVectors(all));
    await writeFile(SOLIDITY_FILE, source);
  }
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  await (await loadCurve()).terminate();
}

await main();
