/** Groth16 proofs can be made again by anyone who has one: the new one proves the same statement, and earns nothing. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { zeroAddress } from "viem";
import { credits, readAgreement } from "../../runner/chain/agreements.ts";
import { settleCall } from "../../runner/chain/claims.ts";
import { settle } from "../../runner/chain/settle.ts";
import { transact } from "../../runner/chain/transact.ts";
import { loadProvingKey } from "../../runner/keys/load.ts";
import { verifyProof } from "../../runner/keys/verifyProof.ts";
import { type Curve, loadCurve, randomScalar } from "../../runner/protocol/curve.ts";
import { type Proof, proofFromSnarkjs, proofToSnarkjs } from "../../runner/prover/proofEncoding.ts";
import { openAgreementOf, provenReceipt } from "../chain/agreement.ts";
import { testChain, thrownBy } from "../chain/localChain.ts";
import { openings, prove, scalarsOf, statementOf, witnessOf } from "../keys/statement.ts";

const SIZE = 14;
const curve = await loadCurve();
const key = await loadProvingKey(SIZE);
const chain = await testChain();

after(() => curve.terminate());

/** (A / s, s B + s k delta, C + k A): what needs no witness and no secret of the key. */
function rerandomised({ G1, G2, Fr }: Curve, proof: Proof): Proof {
  const snark = proofToSnarkjs(proof);
  const A = G1.fromObject(snark.pi_a.map(BigInt));
  const B = G2.fromObject(snark.pi_b.map((pair) => pair.map(BigInt)));
  const C = G1.fromObject(snark.pi_c.map(BigInt));
  const delta = G2.fromRprUncompressed(key.commitKey.delta2, 0);
  const [s, k] = [Fr.e(randomScalar()), Fr.e(randomScalar())];
  const text = (point: unknown): string[] => (point as bigint[]).map(String);
  const newB = G2.toObject(
    G2.toAffine(G2.add(G2.timesFr(B, s), G2.timesFr(delta, Fr.mul(s, k)))),
  ) as unknown as bigint[][];
  return proofFromSnarkjs({
    ...snark,
    pi_a: text(G1.toObject(G1.toAffine(G1.timesFr(A, Fr.inv(s))))),
    pi_b: newB.map((pair) => pair.map(String)),
    pi_c: text(G1.toObject(G1.toAffine(G1.add(C, G1.timesFr(A, k))))),
  });
}

test("a rerandomised proof is another proof of the same statement, and of no other", async () => {
  const inputs = openings(SIZE);
  const proof = await prove(key.zkey, await witnessOf(key.wasm, inputs));
  const again = rerandomised(curve, proofFromSnarkjs(proof));
  assert.notDeepEqual(again, proofFromSnarkjs(proof));
  const scalars = scalarsOf(inputs);
  const V = await statementOf(curve, key.commitKey, scalars);
  assert.equal(await verifyProof(key.commitKey, V, proofToSnarkjs(again)), true);
  for (const i of [0, 1, scalars.length - 1]) {
    const other = await statementOf(curve, key.commitKey, scalars.with(i, scalars[i]! + 1n));
    assert.equal(await verifyProof(key.commitKey, other, proofToSnarkjs(again)), false);
  }
});

test("rerandomised proofs of a settled receipt pay nothing more, and nobody else by whoever sends them", async () => {
  const [contributor, buyer, stranger] = [chain.as(1), chain.as(2), chain.as(3)];
  const { agreementId, signer } = await openAgreementOf(contributor, buyer, 2);
  const proven = await provenReceipt(buyer, agreementId, signer, 2, 30n);
  const again = {
    ...proven,
    claims: proven.claims.map((claim) => ({ ...claim, ...rerandomised(curve, claim) })),
  };
  assert.notDeepEqual(again.claims, proven.claims);
  const send = (by: typeof stranger) => transact(by, settleCall(by, again, again.claims));
  assert.match((await thrownBy(send(stranger))).message, /contributor|operator/i);
  await settle(contributor, proven);
  const paid = (await readAgreement(buyer, agreementId)).paid;
  const credited = await credits(buyer, zeroAddress, contributor.account.address);
  assert.equal(paid, 150n);
  await thrownBy(send(contributor));
  assert.equal((await readAgreement(buyer, agreementId)).paid, paid);
  assert.equal(await credits(buyer, zeroAddress, contributor.account.address), credited);
});
