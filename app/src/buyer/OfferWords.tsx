/** An offer in plain words, and what is and is not guaranteed. */
import { isEth } from "../../../runner/chain/erc20.ts";
import { formatAmount } from "../../../runner/cli/amounts.ts";
import type { Offer } from "../../../runner/protocol/typedData.ts";
import { AddressText } from "../layout/AddressText.tsx";
import { useToken } from "../layout/Amount.tsx";
import { localTime } from "../layout/time.ts";
import { GUARANTEED, NOT_GUARANTEED, offerSentences } from "./offerWords.ts";

export function OfferWords({ offer, forContributor = false }: { offer: Offer; forContributor?: boolean }) {
  const token = useToken(offer.token);
  if (token === undefined) return <p role="status">Reading the token…</p>;
  return (
    <div className="stack">
      <ul>
        {offerSentences(offer, (value) => formatAmount(value, token), localTime).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
        {!isEth(offer.token) && (
          <li>
            It is paid in the token {token.symbol} at <AddressText address={offer.token} />. Anyone can give a
            token any name: check the address.
          </li>
        )}
        <li>
          Paid to <AddressText address={offer.payout} />.
        </li>
      </ul>
      {!forContributor && (
        <div className="columns">
          <Points title="Guaranteed by the contract" points={GUARANTEED} />
          <Points title="Not guaranteed" points={NOT_GUARANTEED} />
        </div>
      )}
    </div>
  );
}

function Points({ title, points }: { title: string; points: readonly string[] }) {
  return (
    <div>
      <p className="subhead">{title}</p>
      <ul>
        {points.map((point) => (
          <li key={point}>{point}</li>
        ))}
      </ul>
    </div>
  );
}
