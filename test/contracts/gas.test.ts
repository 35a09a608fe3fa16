import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Hex, TransactionReceipt } from "viem";
import { loraEscrowAbi } from "../../runner/chain/generated/abi.ts";
import { loadProvingKey } from "../../runner/keys/load.ts";
import { pointWords } from "../../runner/protocol/bytes.ts";
import { decodeKeyPoints } from "../../runner/protocol/commitment.ts";
import { loadCurve, randomScalar } from "../../runner/protocol/curve.ts";
import { mod } from "../../runner/protocol/field.ts";
import { type GroupWitness, witnessStatement } from "../../runner/protocol/statement.ts";
import { statementsHash } from "../../runner/protocol/typedData.ts";
import type { Proof } from "../../runner/prover/proofEncoding.ts";
import { Prover } from "../../runner/prover/prove.ts";
import {
  contributor,
  makeOffer,
  open,
  payout,
  register,
  type Setting,
  signReceipt,
  startSetting,
} from "./setting.ts";

const SIZE = 14;
const DISTINCT = 4;

const curve = await loadCurve();
after(() => curve.terminate());
const key = await loadProvingKey(SIZE);
const points = await decodeKeyPoints(curve, key.commitKey);
const prover = new Prover(key);

interface Proven {
  V: Uint8Array;
  proof: Proof;
}

async function proveSomething(): Promise<Proven> {
  const h = Array.from({ length: SIZE }, randomScalar);
  const s = Array.from({ length: SIZE }, randomScalar);
  const yhat = mod(h.reduce((sum, hk, k) => sum + hk * s[k]!, 0n));
  const witness: GroupWitness = { yhat, h, s, blind: randomScalar() };
  const V = await witnessStatement(curve, points, witness);
  return { V, proof: await prover.prove(witness, V) };
}

const proven: Proven[] = [];
for (let i = 0; i < DISTINCT; i++) proven.push(await proveSomething());

/** Groups may well have equal statements; a few distinct ones cost what as many cost. */
const provenGroup = (group: number): Proven => proven[group % DISTINCT]!;

async function settle(
  setting: Setting,
  agreementId: Hex,
  groups: number,
  passes: bigint,
): Promise<TransactionReceipt> {
  const all = Array.from({ length: groups }, (_, group) => ({ group, ...provenGroup(group) }));
  const V = all.map((each) => each.V);
  const head: Hex = `0x${passes.toString(16).padStart(64, "a")}`;
  const receipt = { agreementId, passes, tokens: 100n * passes, head, statementsHash: statementsHash(V) };
  const { signature } = await signReceipt(setting, receipt);
  return setting.send(contributor, {
    address: setting.escrow,
    abi: loraEscrowAbi,
    functionName: "settle",
    args: [
      agreementId,
      receipt,
      signature,
      V.map(pointWords),
      all.map(({ group, proof }) => ({ group, ...proof })),
    ],
  });
}

/** Most gas of the first settlement of an agreement, calldata and all. */
const SETTLE_LIMITS = [
  { groups: 1, limit: 320_000n },
  { groups: 4, limit: 4n * 130_000n },
  { groups: 24, limit: 24n * 72_000n },
  { groups: 80, limit: 80n * 66_000n },
];

for (const { groups, limit } of SETTLE_LIMITS)
  test(`a settlement of ${groups} proofs costs at most ${limit} gas`, async (t) => {
    const setting = await startSetting(`LoraVerifier${SIZE}`);
    const { adapterId, receipt: registered } = await register(setting, groups);
    const opened = await open(setting, await makeOffer(setting, adapterId), 0n);
    const first = await settle(setting, opened.agreementId, groups, 1n);
    const later = await settle(setting, opened.agreementId, groups, 2n);
    t.diagnostic(
      `gas: register ${registered.gasUsed}, open ${opened.receipt.gasUsed}, settle ${first.gasUsed} ` +
        `(${first.gasUsed / BigInt(groups)} a proof), settle again ${later.gasUsed}`,
    );
    const { paid } = await setting.public.readContract({
      address: setting.escrow,
      abi: loraEscrowAbi,
      functionName: "agreements",
      args: [opened.agreementId],
    });
    assert.equal(paid, 200_000n);
    const credit = await setting.public.readContract({
      address: setting.escrow,
      abi: loraEscrowAbi,
      functionName: "credits",
      args: ["0x0000000000000000000000000000000000000000", payout],
    });
    assert.equal(credit, 700_000n);
    assert.ok(first.gasUsed <= limit, `${first.gasUsed} gas`);
    assert.ok(registered.gasUsed <= 170_000n, `register: ${registered.gasUsed} gas`);
    assert.ok(opened.receipt.gasUsed <= 300_000n, `open: ${opened.receipt.gasUsed} gas`);
  });
