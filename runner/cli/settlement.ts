/** Proving and settling one agreement from the contributor's data folder. */
import type { ChainContext } from "../chain/connect.ts";
import { loadServedAdapter } from "../contributor/adapters.ts";
import { contributorChain } from "../contributor/chainAdapter.ts";
import type { ContributorData } from "../contributor/dataFolder.ts";
import type { OnEvent } from "../contributor/events.ts";
import { keptProvers, PINNED_KEYS } from "../contributor/loadAdapters.ts";
import { Settlement } from "../contributor/settlement.ts";
import { AgreementStore } from "../contributor/store/agreements.ts";
import type { Hex } from "../protocol/bytes.ts";

/** @throws DeltapayError `session/unknown-agreement` */
export function settlementOf(
  data: ContributorData,
  ctx: ChainContext,
  agreementId: Hex,
  onEvent?: OnEvent,
): { settlement: Settlement; adapterId: Hex } {
  const { adapterId } = new AgreementStore(data.database).get(agreementId);
  const adapter = loadServedAdapter(data, adapterId);
  const settlement = new Settlement({
    data,
    chain: contributorChain(ctx),
    adapter: () => adapter,
    prover: keptProvers(PINNED_KEYS),
    ...(onEvent === undefined ? {} : { onEvent }),
  });
  return { settlement, adapterId };
}
