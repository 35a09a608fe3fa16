/** An opening whose money a wallet in a browser pays: prepared here with its signer's key, sent from the page. */
import type { AgreementTerms } from "../buyer/store/storedRows.ts";
import { PROTOCOL_VERSION } from "../protocol/tags.ts";
import { stringifyMessage } from "../wire/messages.ts";
import type { PreparedOpening } from "../wire/opening.ts";

/** What the page is told of an opening; nothing of it is secret. */
export function preparedOpening(terms: AgreementTerms): PreparedOpening {
  const { chainId, escrow, buyer, agreementId, offer, offerSignature, signer, amount, deadline, nonce } =
    terms;
  return {
    protocol: PROTOCOL_VERSION,
    ...{ chainId, escrow, buyer, agreementId, offer, offerSignature, signer, amount, deadline, nonce },
  };
}

/** The page's address with the opening in the part that no server sees. */
export function openingLink(pageUrl: string, opening: PreparedOpening): string {
  const encoded = Buffer.from(stringifyMessage(opening)).toString("base64url");
  return new URL(`#/buyer?opening=${encoded}`, pageUrl).href;
}
