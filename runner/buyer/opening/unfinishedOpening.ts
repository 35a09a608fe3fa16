/** What became of an opening whose run did not get to its end. */
import type { Hex } from "../../protocol/bytes.ts";
import type { BlockChoice, BuyerChain } from "../chainView.ts";
import type { BuyerStore } from "../store/store.ts";
import type { AgreementTerms, StoredAgreement } from "../store/storedRows.ts";

/**
 * mined: `completeOpening` waits for it. unsent: `completeOpening` sends it. impossible: the escrow would refuse it now.
 * abandoned: it would for ever, and the store says so.
 */
export type OpeningState = "mined" | "unsent" | "impossible" | "abandoned";

/** Openings of this buyer's folder that are neither complete nor given up, the newest last. */
export function unfinishedOpenings(store: BuyerStore): StoredAgreement[] {
  return store.agreements().filter(({ phase }) => phase === "opening");
}

/**
 * Looks where an unfinished opening stands, and gives it up once no block still to come can hold it.
 * @throws DeltapayError `agreement/unknown`, `chain/...`
 */
export async function reviewOpening(
  chain: Pick<BuyerChain, "readAgreement" | "readOffer" | "time">,
  store: BuyerStore,
  agreementId: Hex,
): Promise<OpeningState> {
  const { terms } = store.agreement(agreementId);
  const refused = await isRefused(chain, terms, "newest");
  // What a reorganisation could still bring back is not given up.
  const forGood = refused && (await isRefused(chain, terms, "final"));
  // Last: an opening mined meanwhile may itself be what used its offer up.
  if ((await chain.readAgreement(agreementId, "newest")).status !== "none") return "mined";
  if (!refused) return "unsent";
  if (!forGood) return "impossible";
  store.setPhase(agreementId, "abandoned");
  return "abandoned";
}

/** Whether the escrow refuses the opening, and any later block's too: none of these comes undone. */
async function isRefused(
  chain: Pick<BuyerChain, "readOffer" | "time">,
  { offer, deadline }: AgreementTerms,
  block: BlockChoice,
): Promise<boolean> {
  const now = await chain.time(block);
  if (offer.expiry < now || deadline < now + offer.minDuration) return true;
  const { opens, cancelled } = await chain.readOffer(offer, block);
  return cancelled || opens >= offer.maxOpens;
}
