/** What a buyer should know of an offer before paying. */
import { KeyWords } from "../key/KeyState.tsx";
import { AddressText } from "../layout/AddressText.tsx";
import { Notice } from "../layout/Panel.tsx";
import type { CheckedOpening } from "./opening.ts";

export function Warnings({ checked }: { checked: CheckedOpening }) {
  return (
    <>
      <p className="fine">
        Checked here: the offer is signed by <AddressText address={checked.contributor} />, who registered the
        adapter; its verifier is this release's; it can be taken {checked.opensLeft.toString()} more times.
        Not checked here: the adapter's commitments, which your client checks before it prepares an opening.
      </p>
      <KeyWords releaseKey={checked.key} />
      {checked.warnings.length > 0 && (
        <Notice kind="warn" title="Before you pay">
          <ul>
            {checked.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Notice>
      )}
    </>
  );
}
