/** `deltapay leakage`: what answers have given away of an adapter, and how far that may go. */
import { type Command, Option } from "commander";
import { ETH, readToken } from "../../chain/erc20.ts";
import { type LeakagePolicy, readPolicy, writePolicy } from "../../contributor/leakage/policy.ts";
import type { Address } from "../../protocol/typedData.ts";
import { chooseAdapter } from "../adapters.ts";
import { parseAmount } from "../amounts.ts";
import { type ChainFlags, openChain, withChain } from "../connection.ts";
import { badValue } from "../failure.ts";
import { closing, type DataFlags, openContributor, withData } from "../folders.ts";
import { leakageLines, leakageReports } from "../leakage.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";
import { address, amountText, decimalNumber } from "../parsers.ts";

interface LimitFlags extends ChainFlags, DataFlags, OutputFlags {
  adapter?: string;
  past?: LeakagePolicy["past"];
  maxRatio?: number;
  maxBuyerRatio?: number;
  /** False: not stated any more. */
  worth?: string | false;
  token?: Address;
}

async function show(flags: DataFlags & OutputFlags): Promise<void> {
  await closing(await openContributor(flags), async (data) => {
    const reports = leakageReports(data);
    new Output(flags).result(reports, () =>
      reports.length === 0 ? ["no adapters here"] : reports.flatMap(leakageLines),
    );
  });
}

async function limit(flags: LimitFlags): Promise<void> {
  const ctx = await openChain(flags);
  const { past, maxRatio, maxBuyerRatio, worth } = flags;
  if (flags.token !== undefined && typeof worth !== "string")
    throw badValue("token", "the token is that of the worth", "add --worth AMOUNT");
  const token = flags.token === undefined ? ETH : await readToken(ctx, flags.token);
  await closing(await openContributor(flags), async (data) => {
    const { adapterId } = await chooseAdapter(data, ctx, flags.adapter);
    writePolicy(data.database, adapterId, {
      ...readPolicy(data.database, adapterId),
      ...(past === undefined ? {} : { past }),
      ...(maxRatio === undefined ? {} : { maxRatio }),
      ...(maxBuyerRatio === undefined ? {} : { maxBuyerRatio }),
      ...(worth === false ? { worth: null } : {}),
      ...(typeof worth === "string"
        ? { worth: { amount: parseAmount(worth, token, "worth"), token: lower(token.address) } }
        : {}),
    });
    const [report] = leakageReports(data, (record) => record.adapterId === adapterId);
    new Output(flags).result(report, () => leakageLines(report!));
  });
}

function lower(text: Address): Address {
  return text.toLowerCase() as Address;
}

export function registerLeakage(program: Command): void {
  const leakage = program
    .command("leakage")
    .description("what answers have given away of an adapter, and how far that may go");
  const looking = leakage.command("show").description("tokens sold, ranks of inputs, policy, by buyer");
  withOutput(withData(looking, "contributor")).action(show);
  const setting = leakage
    .command("limit")
    .description("set an adapter's policy; a service that runs follows at its next pass")
    .option("--adapter <id|dir>", "which adapter (default: the only one)")
    .addOption(
      new Option("--past <what>", "past a limit: warn you, or refuse new passes").choices(["warn", "refuse"]),
    )
    .option(
      "--max-ratio <ratio>",
      "limit over all buyers, in units of d_in/2 tokens of the narrowest module",
      decimalNumber,
    )
    .option("--max-buyer-ratio <ratio>", "limit for each buyer by itself", decimalNumber)
    .option(
      "--worth <amount>",
      "what the adapter is worth to you: no offer is signed that sells it for less",
      amountText,
    )
    .option("--no-worth", "state no worth any more")
    .option("--token <address>", "ERC-20 the worth is in (default: ETH)", address);
  withOutput(withData(withChain(setting), "contributor")).action(limit);
}
