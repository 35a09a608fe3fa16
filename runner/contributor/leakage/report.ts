/** The figures of leakage as an adapter's owner and its buyers see them; the data folder is enough. */
import type { DatabaseSync } from "node:sqlite";
import type { Hex } from "../../protocol/bytes.ts";
import type { AdapterLayout } from "../../protocol/layout.ts";
import { leakageOf, leastPrice } from "../../protocol/leakage.ts";
import type { Address } from "../../protocol/typedData.ts";
import type { LeakageView } from "../../wire/messages.ts";
import { type LeakagePolicy, readPolicy, tokensAllowed, tokensLeft } from "./policy.ts";
import { trackedModules } from "./rankMeter.ts";
import { RankStore } from "./rankStore.ts";
import { salesByBuyer, tokensSold } from "./sold.ts";

/** Exposure to one buyer, or to all together. */
export interface Exposure {
  tokensSold: number;
  /** Tokens over d_in/2 of the narrowest module: 1 gives that module away when inputs are chosen. */
  ratio: number;
  /** Rank of the activations seen, by module in manifest order; null where it is not measured. */
  ranks: (number | null)[];
}

export interface LeakageReport extends Exposure {
  dInHalf: number;
  modules: { name: string; dIn: number }[];
  policy: LeakagePolicy;
  /** Tokens that all buyers may still buy; null when nothing is refused. */
  tokensLeft: number | null;
  /** Least price of a token by the adapter's worth, if its owner stated it. */
  leastPrice: bigint | null;
  buyers: (Exposure & { buyer: Address; agreements: number })[];
}

function exposure(
  database: DatabaseSync,
  layout: AdapterLayout,
  adapterId: Hex,
  { buyer, sold }: { buyer: Address | ""; sold: number },
): Exposure {
  const store = new RankStore(database);
  const tracked = trackedModules(layout);
  return {
    tokensSold: sold,
    ratio: leakageOf(layout, sold, null).ratio,
    ranks: layout.modules.map((_, module) =>
      tracked.has(module) ? store.rank({ adapterId, buyer, module }) : null,
    ),
  };
}

/** What all answers of an adapter give away, and to whom. */
export function leakageReport(database: DatabaseSync, adapterId: Hex, layout: AdapterLayout): LeakageReport {
  const policy = readPolicy(database, adapterId);
  const sold = tokensSold(database, adapterId);
  return {
    ...exposure(database, layout, adapterId, { buyer: "", sold }),
    dInHalf: leakageOf(layout, 0, null).dInHalf,
    modules: layout.modules.map(({ name, dIn }) => ({ name, dIn })),
    policy,
    tokensLeft: tokensLeft(database, adapterId, layout),
    leastPrice: policy.worth === null ? null : leastPrice(layout, policy.worth.amount),
    buyers: salesByBuyer(database, adapterId).map(({ buyer, agreements, tokensSold: bought }) => ({
      buyer,
      agreements,
      ...exposure(database, layout, adapterId, { buyer, sold: bought }),
    })),
  };
}

/** What a buyer may know: its own purchases, over all its agreements, and the limit on them. */
export function leakageView(
  database: DatabaseSync,
  { adapterId, buyer }: { adapterId: Hex; buyer: Address },
  layout: AdapterLayout,
): LeakageView {
  const { past, maxBuyerRatio } = readPolicy(database, adapterId);
  const sold = tokensSold(database, adapterId, buyer);
  const left = Math.max(0, tokensAllowed(layout, maxBuyerRatio) - sold);
  return {
    ...exposure(database, layout, adapterId, { buyer, sold }),
    dInHalf: leakageOf(layout, 0, null).dInHalf,
    past,
    tokensLeft: past === "refuse" ? left : null,
  };
}
