/** Naming a registered adapter on the command line: by id, by its PEFT folder, or not at all when there is one. */
import * as fs from "node:fs";
import { loadPeftAdapter } from "../adapter/peft.ts";
import type { ChainContext } from "../chain/connect.ts";
import { type AdapterRecord, listAdapters } from "../contributor/adapters.ts";
import type { ContributorData } from "../contributor/dataFolder.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { badValue } from "./failure.ts";

/** Adapters registered from this folder with the chain's present registry, newest first. */
function registeredHere(data: ContributorData, { chainId, deployment }: ChainContext): AdapterRecord[] {
  return listAdapters(data)
    .filter((record) => record.registered && record.chainId === BigInt(chainId))
    .filter(({ registry }) => registry === deployment.registry.toLowerCase())
    .reverse();
}

async function isMeant(name: string): Promise<(record: AdapterRecord) => boolean> {
  if (/^0x[0-9a-fA-F]{64}$/.test(name)) return ({ adapterId }) => adapterId === name.toLowerCase();
  if (!fs.existsSync(name)) throw badValue("adapter", `'${name}' is neither an adapter's id nor a folder`);
  const adapter = await loadPeftAdapter(name);
  return (record) => record.name === adapter.name;
}

/**
 * The adapter meant; of a folder registered more than once the newest.
 * @throws DeltapayError `adapter/none`, `usage/bad-value`
 */
export async function chooseAdapter(
  data: ContributorData,
  ctx: ChainContext,
  name: string | undefined,
): Promise<AdapterRecord> {
  const here = registeredHere(data, ctx);
  const meant = name === undefined ? here : here.filter(await isMeant(name));
  const [first] = meant;
  if (first === undefined)
    throw new DeltapayError(
      "adapter/none",
      "no such adapter is registered from this data folder on this chain",
      {
        field: "adapter",
        hint: "deltapay adapter register DIR --model MODEL; deltapay adapter list shows what there is",
      },
    );
  if (name === undefined && meant.length > 1)
    throw badValue(
      "adapter",
      `${meant.length} adapters are registered`,
      "name one with --adapter (deltapay adapter list)",
    );
  return first;
}
