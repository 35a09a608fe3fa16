import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { LocalAccount } from "viem";
import type { ReceiptToSettle } from "../../runner/chain/claims.ts";
import { domainOf } from "../../runner/chain/connect.ts";
import { settle } from "../../runner/chain/settle.ts";
import { TRANSACTION_GAS_LIMIT } from "../../runner/chain/transact.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { type Receipt, statementsHash, typedData } from "../../runner/protocol/typedData.ts";
import { pointBytes, readProofVectors } from "../vectors/proofs.ts";
import { openAgreementOf, random32 } from "./agreement.ts";
import { testChain } from "./localChain.ts";

/** As many groups as an adapter may have: MAX_GROUPS of the registry. */
const GROUPS = 1024;

const chain = await testChain();
const contributor = chain.as(1);
const buyer = chain.as(2);
after(async () => (await loadCurve()).terminate());

/** Groups may well have equal statements: a few real proofs stand for all. */
async function receiptOverAll(agreementId: Hex, signer: LocalAccount): Promise<ReceiptToSettle> {
  const { proofs } = readProofVectors().get(14)!;
  const all = Array.from({ length: GROUPS }, (_, group) => proofs[group % proofs.length]!);
  const receipt: Receipt = {
    agreementId,
    passes: 1n,
    tokens: 30n,
    head: random32(),
    statementsHash: statementsHash(all.map(({ V }) => pointBytes(V))),
  };
  return {
    agreementId,
    receipt,
    signature: await signer.signTypedData(typedData(domainOf(buyer), "Receipt", receipt)),
    V: all.map(({ V }) => V),
    claims: all.map(({ proof }, group) => ({ group, ...proof })),
  };
}

test("a node refuses a transaction with more gas than EIP-7825 allows", async () => {
  const request = chain.connection.publicClient.request as (call: object) => Promise<unknown>;
  const send = (gas: bigint): Promise<unknown> => {
    const [from, to] = [buyer.account.address, contributor.account.address];
    return request({
      method: "eth_sendTransaction",
      params: [{ from, to, value: "0x1", gas: `0x${gas.toString(16)}` }],
    });
  };
  await send(TRANSACTION_GAS_LIMIT);
  await assert.rejects(send(TRANSACTION_GAS_LIMIT + 1n), /gas/);
});

test(`a receipt of ${GROUPS} proofs settles in transactions that every node takes`, async (t) => {
  const { agreementId, signer } = await openAgreementOf(contributor, buyer, GROUPS);
  const settled = await settle(contributor, await receiptOverAll(agreementId, signer));
  assert.equal(settled.credited, 150n);
  assert.deepEqual(
    settled.transactions.flatMap(({ groups }) => groups),
    Array.from({ length: GROUPS }, (_, group) => group),
  );
  for (const { gasUsed } of settled.transactions)
    assert.ok(gasUsed < TRANSACTION_GAS_LIMIT, `${gasUsed} gas`);
  const sizes = settled.transactions.map(({ groups, gasUsed }) => `${groups.length} for ${gasUsed}`);
  t.diagnostic(`${sizes.join(", ")} gas; ${settled.gasUsed / BigInt(GROUPS)} a proof`);
  assert.ok(settled.gasUsed / BigInt(GROUPS) <= 72_000n);
});
