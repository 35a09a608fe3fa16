/** What an adapter's answers have given away, as lines for a person. */
import { ETH } from "../chain/erc20.ts";
import { type AdapterRecord, listAdapters, readManifest } from "../contributor/adapters.ts";
import type { ContributorData } from "../contributor/dataFolder.ts";
import { type LeakageReport, leakageReport } from "../contributor/leakage/report.ts";
import type { Hex } from "../protocol/bytes.ts";
import { manifestLayout } from "../protocol/manifest.ts";
import { formatAmount } from "./amounts.ts";

export interface AdapterLeakage extends LeakageReport {
  adapterId: Hex;
  name: string;
}

/** Reports of adapters of a data folder; of one chain when given. */
export function leakageReports(
  data: ContributorData,
  isMeant: (record: AdapterRecord) => boolean = () => true,
): AdapterLeakage[] {
  return listAdapters(data)
    .filter((record) => record.registered && isMeant(record))
    .map(({ adapterId, name }) => ({
      adapterId,
      name,
      ...leakageReport(data.database, adapterId, manifestLayout(readManifest(data, adapterId))),
    }));
}

/** `3 of 128` for every width, the ranks of its modules from least to largest. */
function ranksText({ ranks, modules }: Pick<LeakageReport, "ranks" | "modules">): string {
  const byWidth = Map.groupBy(modules.keys(), (m) => modules[m]!.dIn);
  return [...byWidth]
    .map(([dIn, members]) => {
      const known = members.flatMap((m) => ranks[m] ?? []);
      if (known.length === 0) return `not measured at ${dIn} inputs`;
      const [least, most] = [Math.min(...known), Math.max(...known)];
      return `${least === most ? most : `${least} to ${most}`} of ${dIn}`;
    })
    .join(", ");
}

function policyText({ policy, tokensLeft, leastPrice }: LeakageReport): string {
  const { past, maxRatio, maxBuyerRatio, worth } = policy;
  const limits = `${maxBuyerRatio} a buyer, ${maxRatio} in all`;
  const rule =
    past === "warn" ? `a warning past ${limits}` : `no pass past ${limits}: ${tokensLeft} tokens left`;
  if (worth === null || leastPrice === null) return `${rule}; worth not stated`;
  const write = (value: bigint): string =>
    worth.token === ETH.address ? formatAmount(value, ETH) : `${value} of ${worth.token}`;
  return `${rule}; worth ${write(worth.amount)}: at least ${write(leastPrice)} a token`;
}

/** An adapter's exposure, its policy and its buyers. */
export function leakageLines(report: AdapterLeakage): string[] {
  const { name, adapterId, tokensSold, dInHalf, ratio, buyers } = report;
  return [
    `${name} ${adapterId}`,
    `  ${tokensSold} tokens sold, ${ratio.toFixed(2)} of the ${dInHalf} that give the narrowest module away; rank of inputs ${ranksText(report)}`,
    `  policy: ${policyText(report)}`,
    ...buyers.map(
      (buyer) =>
        `  buyer ${buyer.buyer}: ${buyer.tokensSold} tokens in ${buyer.agreements} agreements, ${buyer.ratio.toFixed(2)}; rank ${ranksText({ ...buyer, modules: report.modules })}`,
    ),
    ...(buyers.length > 1 ? ["  many buyers may be one person: the figure over all is what bounds it"] : []),
  ];
}
