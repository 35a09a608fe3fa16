/** Proving and settling by hand: what a contributor's own programs can send to the escrow. */
import { encodeFunctionData } from "viem";
import type { ReceiptToSettle } from "../../chain/claims.ts";
import type { ChainContext } from "../../chain/connect.ts";
import { loraEscrowAbi } from "../../chain/generated/abi.ts";
import { type Outcome, transact } from "../../chain/transact.ts";
import type { ServedAdapter } from "../../contributor/adapters.ts";
import { keptProvers, PINNED_KEYS } from "../../contributor/loadAdapters.ts";
import { loadCommitKey } from "../../keys/load.ts";
import { decodeKeyPoints } from "../../protocol/commitment.ts";
import { loadCurve } from "../../protocol/curve.ts";
import type { SessionState } from "../../protocol/fold.ts";
import { type GroupWitness, groupWitness, witnessStatement } from "../../protocol/statement.ts";
import type { Claim } from "../../wire/messages.ts";
import { statementWords } from "./evilContributor.ts";
import type { SignedReceipt } from "./wireBuyer.ts";

type Weights = Pick<ServedAdapter, "layout" | "weights" | "blinds">;

const proverOf = keptProvers(PINNED_KEYS);

/** Proves that the witness opens V. @throws DeltapayError `prover/...` */
export async function proveGroup(
  { layout }: Weights,
  group: number,
  witness: GroupWitness,
  V: Uint8Array,
): Promise<Claim> {
  return { group, ...(await (await proverOf(layout.keySize)).prove(witness, V)) };
}

/** Statements and proofs of a state by weights and blinds, whatever a buyer would sign. */
export async function proveState(
  adapter: Weights,
  state: SessionState,
): Promise<{ V: Uint8Array[]; claims: Claim[] }> {
  const { layout, weights, blinds } = adapter;
  const curve = await loadCurve();
  const key = await decodeKeyPoints(curve, await loadCommitKey(layout.keySize));
  const V: Uint8Array[] = [];
  const claims: Claim[] = [];
  for (let group = 0; group < layout.groups; group++) {
    const witness = groupWitness(layout, weights, blinds, state, group);
    V.push(await witnessStatement(curve, key, witness));
    claims.push(await proveGroup(adapter, group, witness, V[group]!));
  }
  return { V, claims };
}

/** Sends `settle` as it is, all claims in one transaction. */
export function settleByHand(
  ctx: ChainContext,
  { receipt, signature }: Pick<SignedReceipt, "receipt" | "signature">,
  { V, claims }: { V: readonly Uint8Array[]; claims: ReceiptToSettle["claims"] },
  agreementId = receipt.agreementId,
): Promise<Outcome> {
  const data = encodeFunctionData({
    abi: loraEscrowAbi,
    functionName: "settle",
    args: [agreementId, receipt, signature, statementWords(V), claims],
  });
  return transact(ctx, { to: ctx.deployment.escrow, data });
}
