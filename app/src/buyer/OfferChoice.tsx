/** Where an offer comes from: a file or text the contributor gave, an opening one's own client prepared, one's own services. */
import { useId, useState } from "react";
import { offerHash } from "../../../runner/protocol/typedData.ts";
import type { SignedOffer } from "../../../runner/wire/messages.ts";
import type { PreparedOpening } from "../../../runner/wire/opening.ts";
import { useNow } from "../chain/useNow.ts";
import { HashText } from "../layout/AddressText.tsx";
import { Amount } from "../layout/Amount.tsx";
import { readText } from "../layout/chosenFile.ts";
import { Failure } from "../layout/Failure.tsx";
import { useOwnAdapters } from "../service/useServices.ts";
import { readOfferOrOpening } from "./opening.ts";

/** Most bytes of an offer or an opening. */
const MOST_BYTES = 64 * 1024;

export function OfferChoice({
  onOffer,
  onOpening,
}: {
  onOffer: (signed: SignedOffer) => void;
  onOpening: (opening: PreparedOpening) => void;
}) {
  const [text, setText] = useState("");
  const [error, setError] = useState<unknown>();
  const id = useId();
  const take = (given: string): void => {
    setError(undefined);
    try {
      const read = readOfferOrOpening(given);
      if (read.kind === "offer") onOffer(read.signed);
      else onOpening(read.opening);
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <div className="stack">
      <p className="fine">
        The safest way is to let your client prepare the opening:{" "}
        <code>deltapay open --buyer YOUR-ACCOUNT …</code> checks every commitment of the adapter and makes the
        key that signs receipts, then names a page like this one. Or paste an offer that a contributor signed.
      </p>
      <div className="field">
        <label htmlFor={`${id}-text`}>Signed offer or prepared opening, as JSON</label>
        <textarea
          id={`${id}-text`}
          value={text}
          spellCheck={false}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <div className="row">
        <button type="button" disabled={text.trim() === ""} onClick={() => take(text)}>
          Read it
        </button>
        <label htmlFor={`${id}-file`}>or from a file</label>
        <div>
          <input
            id={`${id}-file`}
            type="file"
            accept=".json,application/json"
            onChange={(event) => {
              const file = event.target.files?.[0];
              if (file !== undefined) void readText(file, MOST_BYTES).then(take, setError);
            }}
          />
        </div>
      </div>
      {error !== undefined && <Failure title="This is neither an offer nor an opening" error={error} />}
      <OwnOffers onOffer={onOffer} />
    </div>
  );
}

/** Offers of services this page knows: on a machine where both parties run, or to try one's own. */
function OwnOffers({ onOffer }: { onOffer: (signed: SignedOffer) => void }) {
  const now = useNow() ?? 0;
  const offers = useOwnAdapters()
    .flatMap(({ said }) => said.adapters)
    .flatMap((adapter) => adapter.offers.map((made) => ({ ...made, name: adapter.name })))
    .filter(({ cancelled, offer }) => !cancelled && Number(offer.expiry) >= now);
  if (offers.length === 0) return null;
  return (
    <div className="stack">
      <h3>Offers of the connected service</h3>
      <ul className="steps">
        {offers.map(({ offer, signature, name }) => (
          <li key={signature}>
            <span>{name}</span> <HashText value={offerHash(offer)} label="Offer" />
            <Amount value={offer.pricePerToken} token={offer.token} /> a token
            <button type="button" onClick={() => onOffer({ offer, signature })}>
              Look at it
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
