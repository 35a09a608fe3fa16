/** Making a receipt: the buyer's own statements V, signed (protocol 5.3). */
import type { LocalAccount } from "viem/accounts";
import { type Hex, toHex } from "../protocol/bytes.ts";
import type { Curve } from "../protocol/curve.ts";
import type { SessionState } from "../protocol/fold.ts";
import { buyerStatements } from "../protocol/statement.ts";
import { type Domain, type Receipt, statementsHash, typedData } from "../protocol/typedData.ts";
import type { VerifiedAdapter } from "./verifyAdapter.ts";

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
