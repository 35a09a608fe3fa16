/** Every proof, one by one by two verifiers, and again as the batch the contract verified. */

import type { CommitKey } from "../formats/commitKey.ts";
import { batchHolds, pairingHolds, snarkjsVerifies } from "../formats/groth16.ts";
import type { Claim, Statement } from "../formats/messages.ts";
import { batchWeight } from "../formats/messages.ts";
import { demand } from "../problem.ts";
import type { Subject } from "../subject.ts";

type Verify = (key: CommitKey, V: Statement, claim: Claim) => boolean | Promise<boolean>;
type OnProof = (done: number, total: number) => void;

async function verifyEach(subject: Subject, verify: Verify, onProof: OnProof): Promise<number> {
  const key = await subject.key();
  const calls = await subject.settleCalls();
  const total = calls.reduce((sum, { claims }) => sum + claims.length, 0);
  let done = 0;
  for (const { call, V, claims } of calls)
    for (const claim of claims) {
      const statement = V[Number(claim.group)];
      demand(
        statement !== undefined,
        `there is no statement of group ${claim.group} in ${call.transaction.hash}`,
      );
      const holds = await verify(key, statement, claim);
      demand(
        holds,
        `the proof of group ${claim.group} in ${call.transaction.hash} does not prove its statement`,
      );
      onProof(++done, total);
    }
  return total;
}

const counted = (count: number, by: string): string =>
  count === 0 ? "no proof was settled" : `${count} proofs verify one by one with ${by}`;

export const checkPairings = async (subject: Subject, onProof: OnProof): Promise<string> =>
  counted(await verifyEach(subject, pairingHolds, onProof), "the pairing of noble-curves");

export const checkSnarkjs = async (subject: Subject, onProof: OnProof): Promise<string> =>
  counted(await verifyEach(subject, snarkjsVerifies, onProof), "snarkjs");

/** The equation that the contract checked, with the weights of the seed it drew. */
export async function checkBatches(subject: Subject): Promise<string> {
  const key = await subject.key();
  const calls = await subject.settleCalls();
  for (const settle of calls) {
    const seed = await subject.seedOf(settle);
    const weights = settle.claims.map((_, i) => (settle.claims.length === 1 ? 1n : batchWeight(seed, i)));
    const holds = batchHolds(key, settle.V, settle.claims, weights);
    demand(holds, `the batch of ${settle.call.transaction.hash} does not hold with seed ${seed}`);
  }
  return calls.length === 0
    ? "no batch was settled"
    : `${calls.length} batches hold with the weights of their recomputed seeds`;
}
