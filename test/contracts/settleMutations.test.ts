/** Every field of a settlement's statements and claims changed, as the escrow sees it: each change is refused. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, test } from "node:test";
import { decodeErrorResult, encodeFunctionData, type Hex } from "viem";
import { loraEscrowAbi } from "../../runner/chain/generated/abi.ts";
import { statementsHash } from "../../runner/protocol/typedData.ts";
import { pointBytes, readProofVectors, vectorOf, wordsOf } from "../vectors/proofs.ts";
import { changedWord, type Draw } from "./differential/mutations.ts";
import {
  contributor,
  makeOffer,
  open,
  register,
  type Setting,
  signReceipt,
  startSetting,
} from "./setting.ts";

const GROUPS = 3;
let drawn = 0;
const draw: Draw = (limit) =>
  BigInt(`0x${createHash("sha512").update(`settle/${drawn++}`).digest("hex")}`) % limit;

const { proofs } = readProofVectors().get(14)!;
const statements = proofs.slice(0, GROUPS).map(({ V }) => V);

/** The group, then the proof's words. */
type ClaimWords = readonly bigint[];
const claims: ClaimWords[] = proofs
  .slice(0, GROUPS)
  .map((vector, group) => [BigInt(group), ...wordsOf(vector).slice(2)]);

let setting: Setting;
let settle: (
  V: readonly (readonly bigint[])[],
  changed: readonly ClaimWords[],
) => Promise<string | undefined>;

before(async () => {
  setting = await startSetting("LoraVerifier14");
  const { adapterId } = await register(setting, GROUPS);
  const { agreementId } = await open(setting, await makeOffer(setting, adapterId), 0n);
  const hash = statementsHash(statements.map(pointBytes));
  const head: Hex = `0x${"ab".repeat(32)}`;
  const receipt = { agreementId, passes: 1n, tokens: 100n, head, statementsHash: hash };
  const { signature } = await signReceipt(setting, receipt);
  settle = async (V, changed) => {
    const args = [
      agreementId,
      receipt,
      signature,
      V as readonly (readonly [bigint, bigint])[],
      // Too large a group is put in below: the encoder would refuse it.
      changed.map(([group, ...proof]) => ({
        group: Number(group! & 0xffffffffn),
        ...vectorOf([0n, 0n, ...proof]).proof,
      })),
    ] as const;
    let data = encodeFunctionData({ abi: loraEscrowAbi, functionName: "settle", args });
    for (const [i, [group]] of changed.entries())
      if (group! > 0xffffffffn) data = withGroup(data, changed.length - i, group!);
    const call = { from: contributor.address, to: setting.escrow, data, gas: "0xffffff" };
    return setting.request("eth_call", [call, "latest"]).then(() => undefined, reason);
  };
});

/** The calldata with another first word in the claim that is the `last`-th from its end. */
function withGroup(data: Hex, last: number, group: bigint): Hex {
  const at = data.length - last * 2 * 288;
  return `${data.slice(0, at)}${group.toString(16).padStart(64, "0")}${data.slice(at + 64)}` as Hex;
}

/** Name of the error; "malformed" where the decoder of the calldata refused without one. */
function reason(error: { data?: Hex }): string {
  if (error.data === undefined || error.data === "0x") return "malformed";
  return decodeErrorResult({ abi: loraEscrowAbi, data: error.data }).errorName;
}

test("the settlement that is changed below is accepted, in every division", async () => {
  assert.equal(await settle(statements, claims), undefined);
  for (const claim of claims) assert.equal(await settle(statements, [claim]), undefined);
});

test("no claim with a changed word of its proof is accepted, alone or among others", async (t) => {
  let tried = 0;
  for (const [i, claim] of claims.entries())
    for (let word = 1; word <= 8; word++)
      for (const [how, changed] of changedWord(claim[word]!, draw)) {
        const mutated = claim.with(word, changed);
        const batch = i === 0 ? [mutated] : claims.with(i, mutated);
        assert.equal(await settle(statements, batch), "InvalidProof", `claim ${i}, word ${word} ${how}`);
        tried++;
      }
  t.diagnostic(`${tried} changes`);
  assert.ok(tried >= 350);
});

test("no claim under another group is accepted", async () => {
  const last = claims.at(-1)!;
  for (const group of [0n, 1n]) {
    const moved = await settle(statements, [last.with(0, group)]);
    assert.equal(moved, "InvalidProof", `group ${group}`);
  }
  for (const group of [3n, 255n, 256n, 2n ** 31n, 2n ** 32n - 1n])
    assert.equal(await settle(statements, [last.with(0, group)]), "GroupOutOfRange", `group ${group}`);
  // The words that mean group 2 to a reader of the low 32 bits alone.
  for (const group of [2n ** 32n + 2n, 2n ** 64n + 2n, 2n ** 255n + 2n])
    assert.equal(await settle(statements, [last.with(0, group)]), "malformed", `group ${group}`);
  assert.equal(await settle(statements, [claims[1]!, claims[0]!]), "GroupsNotIncreasing");
  assert.equal(await settle(statements, [claims[1]!, claims[1]!]), "GroupsNotIncreasing");
  assert.equal(await settle(statements, []), "NoClaims");
  const exchanged = [claims[0]!.with(0, 0n), [1n, ...claims[2]!.slice(1)], [2n, ...claims[1]!.slice(1)]];
  assert.equal(await settle(statements, exchanged), "InvalidProof");
});

test("no statements but those signed are accepted", async () => {
  for (const [i, V] of statements.entries())
    for (const [word, value] of V.entries())
      for (const [how, changed] of changedWord(value, draw)) {
        const other = statements.with(i, V.with(word, changed) as [bigint, bigint]);
        const name = `statement ${i}, word ${word} ${how}`;
        assert.equal(await settle(other, claims), "StatementsHashMismatch", name);
      }
  assert.equal(await settle(statements.toReversed(), claims), "StatementsHashMismatch");
  assert.equal(await settle(statements.slice(1), claims), "WrongStatementCount");
  assert.equal(await settle([...statements, statements[0]!], claims), "WrongStatementCount");
});
