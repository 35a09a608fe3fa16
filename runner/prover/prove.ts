/**
 * Proofs that a statement V opens to yhat = <s, h> (protocol 3, 5.4).
 *
 * With a commit-carrying key snarkjs's public signals are the secret openings themselves. They, the witness and every
 * error that might quote them end in this file.
 */
import { groth16, type MemFile, wtns } from "snarkjs";
import { type ProofKey, verifyProof as verifySnarkjsProof } from "../keys/verifyProof.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { mod } from "../protocol/field.ts";
import type { GroupWitness } from "../protocol/statement.ts";
import { type Proof, proofFromSnarkjs, proofToSnarkjs } from "./proofEncoding.ts";

/** What proving needs of a key; `loadProvingKey` gives it. */
export interface ProverKey {
  zkey: Uint8Array;
  /** Witness generator. */
  wasm: Uint8Array;
  commitKey: ProofKey;
}

/**
 * Whether a proof proves the statement under the key.
 * @param V statement, 64 bytes big-endian
 * @throws DeltapayError `proof/...` or `point/...` when proof or statement is malformed
 */
export function verifyProof(key: ProofKey, V: Uint8Array, proof: Proof): Promise<boolean> {
  return verifySnarkjsProof(key, V, proofToSnarkjs(proof));
}

/** Proves statements under one key, which stays in memory, as do the curve and its workers. */
export class Prover {
  readonly #key: ProverKey;

  constructor(key: ProverKey) {
    this.#key = key;
  }

  /**
   * A proof of the statement, verified against it before it is returned.
   * @param V statement the buyer signed, 64 bytes big-endian
   * @throws DeltapayError `prover/wrong-shape`, `prover/no-witness` (yhat is not <s, h>), `prover/other-statement`
   */
  async prove(witness: GroupWitness, V: Uint8Array): Promise<Proof> {
    const proof = await this.#proveUnchecked(witness);
    if (!(await verifyProof(this.#key.commitKey, V, proof)))
      throw new DeltapayError("prover/other-statement", "the witness does not open this statement", {
        field: "V",
        hint: "weights, registration seed or session state differ from those the statement was made with",
      });
    return proof;
  }

  async #proveUnchecked({ yhat, h, s, blind }: GroupWitness): Promise<Proof> {
    const { size } = this.#key.commitKey;
    if (h.length !== size || s.length !== size)
      throw new DeltapayError("prover/wrong-shape", `the key has ${size} slots, the witness another number`, {
        field: "witness",
      });
    // The circuit would find it too, but prints to stdout as it does.
    const product = h.reduce((sum, value, k) => sum + value * s[k]!, 0n);
    if (mod(product - yhat) !== 0n) throw noWitness();
    const memory: MemFile = { type: "mem" };
    try {
      await wtns.calculate({ yhat, h, s, blind }, this.#key.wasm, memory);
      const { proof } = await groth16.prove(this.#key.zkey, memory);
      return proofFromSnarkjs(proof);
    } catch {
      // The cause is left out: it may quote the witness.
      throw noWitness();
    } finally {
      memory.data?.fill(0);
    }
  }
}

function noWitness(): DeltapayError {
  return new DeltapayError(
    "prover/no-witness",
    "an answer that was served is not B*A*x of the registered weights",
    {
      field: "witness",
      hint: "nothing served after the wrong answer can be proven; look for changed weights, or memory that fails",
    },
  );
}

/** One proof with a key used once; `Prover` for more. */
export function proveStatement(input: {
  key: ProverKey;
  witness: GroupWitness;
  V: Uint8Array;
}): Promise<Proof> {
  return new Prover(input.key).prove(input.witness, input.V);
}
