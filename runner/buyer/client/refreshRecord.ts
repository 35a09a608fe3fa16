/** Following a contributor whose TLS certificate was renewed or whose service moved: only its own signature leads there. */
import type { Hex } from "../../protocol/bytes.ts";
import { ensure } from "../../protocol/errors.ts";
import type { BuyerStore } from "../store/store.ts";
import { type DiscoverOptions, discover } from "./discover.ts";

/**
 * Stores the service record that an agreement's contributor has signed since, found at `url`.
 * @returns whether there was a newer one
 * @throws DeltapayError `service/other-contributor`, `service/older-record`, `agreement/unknown`, and as `discover`
 */
export async function refreshRecord(
  store: BuyerStore,
  agreementId: Hex,
  options: Omit<DiscoverOptions, "adapterId">,
): Promise<boolean> {
  const { contributor, record: known, offer } = store.agreement(agreementId).terms;
  const { client, entry, record } = await discover({ ...options, adapterId: offer.adapterId });
  await client.http.close();
  ensure(
    entry.contributor.toLowerCase() === contributor,
    "service/other-contributor",
    "the adapter is another contributor's than the agreement's",
    { field: "contributor", hint: "use the chain and deployment the agreement was opened on" },
  );
  if (record.expiry > known.expiry) {
    store.setRecord(agreementId, record);
    return true;
  }
  // Who holds an old record and the key of its certificate could lead the buyer back to it.
  const same = record.url === known.url && record.tlsCertificate === known.tlsCertificate;
  ensure(same, "service/older-record", "the contributor has signed a later record than this service shows", {
    field: "record.expiry",
    hint: "ask the contributor where it serves now",
  });
  return false;
}
