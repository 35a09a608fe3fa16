/**
 * Writes contracts/test/vectors/ProofVectors.sol: proofs made by snarkjs under the dev keys, for the Solidity tests.
 *
 * Proofs are randomised, so a new run gives another file; it is needed only when a pinned key changes. The statements are
 * V = IC_0 + yhat I + sum h_k H_k + sum s_k S_k + blind Z for small fixed h and s, so the file holds nothing secret.
 */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Groth16Proof, groth16, type MemFile, wtns } from "snarkjs";
import { loadProvingKey, type ProvingKey } from "../runner/keys/load.ts";
import { verifyProof } from "../runner/keys/verifyProof.ts";
import { concatBytes, pointWords } from "../runner/protocol/bytes.ts";
import {
  decodePoints,
  encodePoint,
  loadCurve,
  multiExp,
  packScalars,
} from "../runner/protocol/curve.ts";
import { vkHash } from "../runner/protocol/key.ts";
import type { GroupWitness } from "../runner/protocol/statement.ts";

const TARGET = new URL("../contracts/test/vectors/ProofVectors.sol", import.meta.url);

/** How many proofs of which key. */
const WANTED = [
  { size: 14, count: 4 },
  { size: 30, count: 1 },
] as const;

interface Vector {
  V: readonly [bigint, bigint];
  proof: Groth16Proof;
}

function witnessOf(size: number, index: number): GroupWitness {
  const h = Array.from({ length: size }, (_, k) => BigInt(3 * k + index + 1));
  const s = Array.from({ length: size }, (_, k) => BigInt(k * k + 2 * index + 1));
  const yhat = h.reduce((sum, value, k) => sum + value * s[k]!, 0n);
  return { yhat, h, s, blind: BigInt(1000 + index) };
}

async function statementOf(key: ProvingKey, witness: GroupWitness): Promise<Uint8Array> {
  const curve = await loadCurve();
  const { ic0, bases } = key.commitKey;
  const points = await decodePoints(curve, concatBytes(ic0, bases), "key");
  const scalars = [1n, witness.yhat, ...witness.h, ...witness.s, witness.blind];
  return encodePoint(curve, await multiExp(curve, points, packScalars(scalars, 32)));
}

async function makeVector(key: ProvingKey, index: number): Promise<Vector> {
  const witness = witnessOf(key.commitKey.size, index);
  const file: MemFile = { type: "mem" };
  await wtns.calculate({ ...witness }, key.wasm, file);
  const { proof } = await groth16.prove(key.zkey, file);
  const V = await statementOf(key, witness);
  if (!(await verifyProof(key.commitKey, V, proof)))
    throw new Error("snarkjs made a proof that does not verify");
  return { V: pointWords(V), proof };
}

const hex = (value: bigint | string): string => `0x${BigInt(value).toString(16).padStart(64, "0")}`;

function solidityArray(words: readonly (bigint | string)[], indent: string): string {
  const [first, ...rest] = words.map(hex);
  return [`[\n${indent}    uint256(${first})`, ...rest.map((word) => `${indent}    ${word}`)]
    .join(",\n")
    .concat(`\n${indent}]`);
}

function solidityCase(index: number, { V, proof }: Vector): string {
  const pad = "            ";
  const b = [proof.pi_b[0]![1]!, proof.pi_b[0]![0]!, proof.pi_b[1]![1]!, proof.pi_b[1]![0]!];
  return [
    `        if (index == ${index}) {`,
    `${pad}V = ${solidityArray(V, pad)};`,
    `${pad}proof.a = ${solidityArray(proof.pi_a.slice(0, 2), pad)};`,
    `${pad}proof.b = ${solidityArray(b, pad)};`,
    `${pad}proof.c = ${solidityArray(proof.pi_c.slice(0, 2), pad)};`,
    "        }",
  ].join("\n");
}

function solidityFunction(size: number, hash: string, vectors: readonly Vector[]): string {
  return `    uint256 internal constant COUNT_${size} = ${vectors.length};
    bytes32 internal constant VK_HASH_${size} = ${hash};

    /// @notice A statement and its proof under the key of size ${size}; index < ${vectors.length}.
    function key${size}(uint256 index)
        internal
        pure
        returns (uint256[2] memory V, ILoraVerifier.Proof memory proof)
    {
${vectors.map((vector, index) => solidityCase(index, vector)).join("\n")}
    }`;
}

async function main(): Promise<void> {
  const functions: string[] = [];
  for (const { size, count } of WANTED) {
    const key = await loadProvingKey(size);
    const vectors: Vector[] = [];
    for (let index = 0; index < count; index++) vectors.push(await makeVector(key, index));
    functions.push(solidityFunction(size, vkHash(key.commitKey), vectors));
  }
  const text = `// SPDX-License-Identifier: GPL-3.0-or-later
// Made by scripts/generate-proof-vectors.ts with snarkjs under the dev keys. Do not edit.
pragma solidity ^0.8.37;

import {ILoraVerifier} from "../../interfaces/ILoraVerifier.sol";

/// @notice Proofs as a contributor makes them.
library ProofVectors {
${functions.join("\n\n")}
}
`;
  await writeFile(TARGET, text);
  console.error(`wrote ${fileURLToPath(TARGET)}`);
  await (await loadCurve()).terminate();
}

await main();
