/** Making a receipt: the buyer's own statements V, signed (protocol 5.3). */
import type { LocalAccount } from "viem/accounts";
import { type Hex, toHex } from "../../protocol/bytes.ts";
import type { Curve } from "../../protocol/curve.ts";
import { ensure } from "../../protocol/errors.ts";
import type { SessionState } from "../../protocol/fold.ts";
import { encodeState } from "../../protocol/sessionState.ts";
import { buyerStatements } from "../../protocol/statement.ts";
import { type Domain, type Receipt, statementsHash, typedData } from "../../protocol/typedData.ts";
import type { VerifiedAdapter } from "../opening/verifyAdapter.ts";
import type { BuyerStore } from "../store/store.ts";
import type { StoredReceipt } from "../store/storedRows.ts";

/** What statements are computed from. */
export type StatementSource = Pick<VerifiedAdapter, "key" | "layout" | "commitments" | "sums">;

/** The receipt that covers all of `state`: V computed by the buyer, the party at risk. */
export async function makeReceipt(
  curve: Curve,
  adapter: StatementSource,
  agreementId: Hex,
  state: SessionState,
): Promise<Receipt> {
  const { key, layout, commitments, sums } = adapter;
  const V = await buyerStatements(curve, key, layout, commitments, sums, state);
  return {
    agreementId,
    passes: BigInt(state.passes),
    tokens: BigInt(state.tokens),
    head: toHex(state.head),
    statementsHash: statementsHash(V),
  };
}

/** EIP-712 signature of a receipt, 65 bytes. */
export function signReceipt(domain: Domain, signer: LocalAccount, receipt: Receipt): Promise<Hex> {
  return signer.signTypedData(typedData(domain, "Receipt", receipt));
}

/**
 * The receipt of the present state: the stored one, or a new one, stored. Never another for as many passes.
 * @throws DeltapayError `receipt/conflict` when one for as many or more passes was signed over another transcript
 */
export async function currentReceipt(
  curve: Curve,
  adapter: StatementSource,
  store: BuyerStore,
  domain: Domain,
  signer: LocalAccount,
  agreementId: Hex,
  state: SessionState,
): Promise<StoredReceipt> {
  const last = store.lastReceipt(agreementId);
  if (last === undefined || last.receipt.passes < BigInt(state.passes)) {
    const receipt = await makeReceipt(curve, adapter, agreementId, state);
    store.addReceipt(receipt, await signReceipt(domain, signer, receipt), encodeState(state));
  }
  const stored = store.lastReceipt(agreementId)!;
  const { passes, head } = stored.receipt;
  ensure(
    passes === BigInt(state.passes) && head === toHex(state.head),
    "receipt/conflict",
    `a receipt for ${passes} passes was already signed over another transcript`,
    {
      field: "receipt.head",
      hint: "this data folder is an older copy; the receipt signed last stands",
    },
  );
  return stored;
}
