/** Ending an agreement from outside the service, which may be stopped; a service that runs stops answering too. */
import type { Hex } from "../protocol/bytes.ts";
import type { ContributorData } from "./dataFolder.ts";
import { AgreementStore } from "./store/agreements.ts";

/**
 * Stops serving an agreement, so that its newest receipt can be proven. Doing it twice changes nothing.
 * @returns whether it was being served
 * @throws DeltapayError `session/unknown-agreement`
 */
export function endServing(data: ContributorData, agreementId: Hex): boolean {
  const agreements = new AgreementStore(data.database);
  agreements.get(agreementId);
  return agreements.move(agreementId, ["serving"], "ended", "the contributor ended the session");
}
