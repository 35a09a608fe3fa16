/** The step from taking receipts to proving the newest one. */
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { transaction } from "../storage/database.ts";
import type { ContributorData } from "./dataFolder.ts";
import { AgreementStore } from "./store/agreements.ts";
import { ReceiptStore, type StoredReceipt } from "./store/receipts.ts";

/**
 * The receipt that is to be proven. No receipt is taken from here on.
 * @throws DeltapayError `session/no-receipt`, `session/still-serving`, `session/unknown-agreement`
 */
export function beginProving(
  { database }: Pick<ContributorData, "database">,
  agreementId: Hex,
): StoredReceipt {
  const agreements = new AgreementStore(database);
  if (agreements.get(agreementId).phase === "serving")
    throw new DeltapayError("session/still-serving", "the session is still being served", {
      field: "agreementId",
      hint: "prove it when the buyer has ended it, or end it yourself: deltapay prove --end",
    });
  return transaction(database, () => {
    const newest = new ReceiptStore(database).newest(agreementId);
    if (newest === undefined)
      throw new DeltapayError("session/no-receipt", "no receipt was given: there is nothing to prove", {
        field: "agreementId",
      });
    agreements.move(agreementId, ["ended"], "proving");
    return newest;
  });
}
