/** What a buyer should know of an offer before paying. */
import { buyerWarnings } from "../../../runner/buyer/opening/offer.ts";
import { formatAmount } from "../../../runner/cli/amounts.ts";
import type { Offer } from "../../../runner/protocol/typedData.ts";
import { KeyWords } from "../key/KeyState.tsx";
import { AddressText } from "../layout/AddressText.tsx";
import { useToken } from "../layout/Amount.tsx";
import { Notice } from "../layout/Panel.tsx";
import type { CheckedOpening } from "./opening.ts";

export function Warnings({
  checked,
  offer,
  amount,
}: {
  checked: CheckedOpening;
  offer: Offer;
  /** As far as it is decided. */
  amount?: bigint | undefined;
}) {
  const token = useToken(offer.token);
  const warnings =
    token === undefined
      ? []
      : buyerWarnings({ offer }, amount === undefined ? {} : { amount }, (value) =>
          formatAmount(value, token),
        );
  return (
    <>
      <p className="fine">
        Checked here: the offer is signed by <AddressText address={checked.contributor} />, who registered the
        adapter; its verifier is this release's; it can be taken {checked.opensLeft.toString()} more times.
        Not checked here: the adapter's commitments, which your client checks before it prepares an opening.
      </p>
      <KeyWords releaseKey={checked.key} />
      {warnings.length > 0 && (
        <Notice kind="warn" title="Before you pay">
          <ul>
            {warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Notice>
      )}
    </>
  );
}
