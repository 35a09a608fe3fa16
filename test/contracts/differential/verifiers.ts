/** The verifiers that are compared: the contracts on a chain in this process, and snarkjs with and without the product's checks. */
import { groth16 } from "snarkjs";
import { concatHex, encodeFunctionData, type Hex, numberToHex, toFunctionSelector } from "viem";
import { loraVerifierAbi } from "../../../runner/chain/generated/abi.ts";
import { toHex } from "../../../runner/protocol/bytes.ts";
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import type { CommitKey } from "../../../runner/protocol/key.ts";
import { proofToSnarkjs } from "../../../runner/prover/proofEncoding.ts";
import { verifyProof } from "../../../runner/prover/prove.ts";
import { pointBytes, vectorOf } from "../../vectors/proofs.ts";
import type { Setting } from "../setting.ts";
import type { ClaimWords, KeyWords } from "./secondVerifier.ts";

const TRUE = numberToHex(1, { size: 32 });
const FALSE = numberToHex(0, { size: 32 });
const VERIFY_PROOF = toFunctionSelector("verifyProof(uint256[2],(uint256[2],uint256[4],uint256[2]))");

/** The 14 words that a verifier's code holds. */
export function keyWordsOf({ alpha1, beta2, gamma2, delta2 }: CommitKey): bigint[] {
  return [alpha1, beta2, gamma2, delta2].flatMap((point) =>
    Array.from({ length: point.length / 32 }, (_, i) => BigInt(toHex(point.subarray(32 * i, 32 * i + 32)))),
  );
}

async function answerOf(setting: Setting, to: Hex, data: Hex): Promise<boolean> {
  const answer = await setting.request("eth_call", [{ to, data, gas: "0xffffff" }, "latest"]);
  if (answer !== TRUE && answer !== FALSE) throw new Error(`a verifier answered ${answer}`);
  return answer === TRUE;
}

/** What the contract says of a claim. */
export function solidityVerdict(setting: Setting, verifier: Hex, claim: ClaimWords): Promise<boolean> {
  const words = claim.map((word) => numberToHex(word, { size: 32 }));
  return answerOf(setting, verifier, concatHex([VERIFY_PROOF, ...words]));
}

/** What the contract says of a batch. */
export function solidityBatchVerdict(
  setting: Setting,
  verifier: Hex,
  seed: Hex,
  claims: readonly ClaimWords[],
): Promise<boolean> {
  const vectors = claims.map(vectorOf);
  const args = [seed, vectors.map(({ V }) => V), vectors.map(({ proof }) => proof)] as const;
  return answerOf(
    setting,
    verifier,
    encodeFunctionData({ abi: loraVerifierAbi, functionName: "verifyBatch", args }),
  );
}

/** What the parties' own check says, which is snarkjs's behind checks of every point; malformed counts as refused. */
export async function productVerdict(key: CommitKey, claim: ClaimWords): Promise<boolean> {
  const { V, proof } = vectorOf(claim);
  try {
    return await verifyProof(key, pointBytes(V), proof);
  } catch (error) {
    if (error instanceof DeltapayError) return false;
    throw error;
  }
}

/** What snarkjs's `groth16.verify` says, alone. It reduces coordinates and takes points of any order. */
export function snarkjsVerdict(key: KeyWords, claim: ClaimWords): Promise<boolean> {
  const g1 = ([x, y]: readonly bigint[]): string[] => [String(x), String(y), "1"];
  const g2 = ([xIm, xRe, yIm, yRe]: readonly bigint[]): string[][] => [
    [String(xRe), String(xIm)],
    [String(yRe), String(yIm)],
    ["1", "0"],
  ];
  const verificationKey = {
    protocol: "groth16",
    curve: "bn128",
    nPublic: 0,
    vk_alpha_1: g1(key.slice(0, 2)),
    vk_beta_2: g2(key.slice(2, 6)),
    vk_gamma_2: g2(key.slice(6, 10)),
    vk_delta_2: g2(key.slice(10, 14)),
    IC: [g1(claim.slice(0, 2))],
  };
  return groth16.verify(verificationKey, [], proofToSnarkjs(vectorOf(claim).proof));
}

/** Puts a verifier with another key in its code at an address of its own. @returns the address */
export async function placeVerifier(
  setting: Setting,
  original: { code: Hex; key: KeyWords },
  key: KeyWords,
): Promise<Hex> {
  const at: Hex = "0x00000000000000000000000000000000000c0de5";
  let code: string = original.code;
  for (const [i, word] of original.key.entries()) {
    const parts = code.split(numberToHex(word, { size: 32 }).slice(2));
    if (parts.length !== 2) throw new Error(`word ${i} of the key is ${parts.length - 1} times in the code`);
    // Marked first, so that a word put in is never found by a later search.
    code = parts.join(`<${i}>`);
  }
  code = code.replace(/<(\d+)>/g, (_, i) => numberToHex(key[Number(i)]!, { size: 32 }).slice(2));
  await setting.request("hardhat_setCode", [at, code]);
  return at;
}
