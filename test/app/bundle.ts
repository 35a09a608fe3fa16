/** A bundle of real proofs under the smallest key, of statements made up here, and what it is held against. */
import { randomBytes } from "node:crypto";
import type { LocalAccount } from "viem";
import type { VerificationContext } from "../../app/src/verification/checkBundle.ts";
import { loadProvingKey } from "../../runner/keys/load.ts";
import { type Hex, pointWords, toHex } from "../../runner/protocol/bytes.ts";
import { decodeKeyPoints } from "../../runner/protocol/commitment.ts";
import { loadCurve, randomScalar } from "../../runner/protocol/curve.ts";
import { mod } from "../../runner/protocol/field.ts";
import { vkHash } from "../../runner/protocol/key.ts";
import { type GroupWitness, witnessStatement } from "../../runner/protocol/statement.ts";
import { type Receipt, statementsHash, typedData } from "../../runner/protocol/typedData.ts";
import { Prover } from "../../runner/prover/prove.ts";
import type { ProofBundle } from "../../runner/wire/messages.ts";

const SIZE = 14;
/** Module names by group; the first group has two. */
const MODULES = [
  { name: "layer.q", group: 0 },
  { name: "layer.k", group: 0 },
  { name: "layer.v", group: 1 },
  { name: "layer.o", group: 2 },
];

export interface MadeBundle {
  bundle: ProofBundle;
  context: VerificationContext;
  witnesses: GroupWitness[];
}

const random = (bytes: number): Hex => toHex(new Uint8Array(randomBytes(bytes)));

/** A witness of the circuit with random values. */
export function randomWitness(size = SIZE): GroupWitness {
  const h = Array.from({ length: size }, randomScalar);
  const s = Array.from({ length: size }, randomScalar);
  return { yhat: mod(h.reduce((sum, value, k) => sum + value * s[k]!, 0n)), h, s, blind: randomScalar() };
}

/** Proves `groups` statements and signs the receipt that covers them. */
export async function madeBundle(signer: LocalAccount, groups: number): Promise<MadeBundle> {
  const curve = await loadCurve();
  const key = await loadProvingKey(SIZE);
  const points = await decodeKeyPoints(curve, key.commitKey);
  const prover = new Prover(key);
  const domain = { chainId: 31337n, escrow: random(20) };
  const agreementId = random(32);
  const statements: Uint8Array[] = [];
  const witnesses: GroupWitness[] = [];
  const claims: ProofBundle["claims"] = [];
  for (let group = 0; group < groups; group++) {
    const witness = randomWitness();
    const V = await witnessStatement(curve, points, witness);
    claims.push({ group, ...(await prover.prove(witness, V)) });
    statements.push(V);
    witnesses.push(witness);
  }
  const receipt: Receipt = {
    agreementId,
    passes: 2n,
    tokens: 30n,
    head: random(32),
    statementsHash: statementsHash(statements),
  };
  const signature = await signer.signTypedData(typedData(domain, "Receipt", receipt));
  const hash = vkHash(key.commitKey);
  return {
    bundle: {
      protocol: 1,
      chainId: domain.chainId,
      escrow: domain.escrow,
      agreementId,
      vkHash: hash,
      receipt,
      signature,
      V: statements.map((V) => [...pointWords(V)]),
      claims,
    },
    context: {
      domain,
      agreementId,
      signer: signer.address,
      vkHash: hash,
      groups,
      modules: MODULES.filter(({ group }) => group < groups),
    },
    witnesses,
  };
}
