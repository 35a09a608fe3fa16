/** Recomputes everything a receipt says from the contributor's own side (protocol 5.3). */
import { type Hex, toHex } from "../protocol/bytes.ts";
import type { KeyPoints } from "../protocol/commitment.ts";
import { loadCurve } from "../protocol/curve.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { mod } from "../protocol/field.ts";
import type { SessionState } from "../protocol/fold.ts";
import { deltaParts, type GroupWitness, groupWitness, witnessStatement } from "../protocol/statement.ts";
import { checkSignature, type Domain, type Receipt, statementsHash } from "../protocol/typedData.ts";
import type { ServedAdapter } from "./adapters.ts";
import type { AgreementRecord } from "./store/agreements.ts";

/** What is proven later must hold now: a receipt over a wrong answer could never be settled. */
function checkAnswers({ yhat, s, h }: GroupWitness, group: number): void {
  const expected = mod(s.reduce((sum, value, k) => sum + value * h[k]!, 0n));
  if (yhat !== expected)
    throw new DeltapayError(
      "session/wrong-answer",
      `an answer given here, of proof group ${group}, is not that of the registered weights`,
      { hint: "nothing after the receipt before it is asked for; open a new agreement" },
    );
}

/**
 * V of every group by weights and blinds, 64 bytes big-endian each.
 * @throws DeltapayError `session/wrong-answer`
 */
export async function contributorStatements(
  key: KeyPoints,
  adapter: Pick<ServedAdapter, "layout" | "weights" | "blinds">,
  state: SessionState,
): Promise<Uint8Array[]> {
  const curve = await loadCurve();
  const statements: Uint8Array[] = [];
  const delta = deltaParts(adapter.layout, state.head);
  for (let group = 0; group < adapter.layout.groups; group++) {
    const witness = groupWitness(adapter.layout, adapter.weights, adapter.blinds, state, group, delta);
    checkAnswers(witness, group);
    statements.push(await witnessStatement(curve, key, witness));
  }
  return statements;
}

/**
 * Checks a receipt against the state at exactly its number of passes; the cheap checks come first.
 * @returns V of every group
 * @throws DeltapayError `receipt/...` naming what is wrong, `signature/...`, `session/wrong-answer` when the fault is here
 */
export async function checkReceipt(
  domain: Domain,
  key: KeyPoints,
  adapter: Pick<ServedAdapter, "layout" | "weights" | "blinds">,
  agreement: Pick<AgreementRecord, "agreementId" | "signer">,
  state: SessionState,
  receipt: Receipt,
  signature: Hex,
): Promise<Uint8Array[]> {
  const compare = (field: keyof Receipt, expected: bigint | Hex): void => {
    if (receipt[field] !== expected)
      throw new DeltapayError(
        `receipt/wrong-${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
        `the receipt says ${receipt[field]}, it is ${expected} here`,
        { field: `receipt.${field}`, hint: "no more is served or accepted under this agreement" },
      );
  };
  compare("agreementId", agreement.agreementId);
  compare("passes", BigInt(state.passes));
  compare("tokens", BigInt(state.tokens));
  compare("head", toHex(state.head));
  await checkSignature(domain, "Receipt", receipt, signature, agreement.signer);
  const statements = await contributorStatements(key, adapter, state);
  compare("statementsHash", statementsHash(statements));
  return statements;
}
