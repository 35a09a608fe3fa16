/** `deltapay operator`: helpers who may settle in the contributor's name. */
import type { Command } from "commander";
import { setOperator } from "../../chain/escrow.ts";
import type { Address } from "../../protocol/typedData.ts";
import { type ChainFlags, openSigningChain, withChain, withSigner } from "../connection.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";
import { address } from "../parsers.ts";

type Flags = ChainFlags & OutputFlags;

async function set(operator: Address, allowed: boolean, flags: Flags): Promise<void> {
  const ctx = await openSigningChain(flags);
  const { txHash, gasUsed } = await setOperator(ctx, operator, allowed);
  const contributor = ctx.account.address;
  new Output(flags).result({ contributor, operator, allowed, txHash, gasUsed }, () => [
    `${operator} may ${allowed ? "now" : "no longer"} settle for ${contributor}`,
  ]);
}

export function registerOperator(program: Command): void {
  const operator = program.command("operator").description("who may settle in the contributor's name");
  const change = (name: string, description: string, allowed: boolean): void => {
    const command = operator.command(name).description(description).argument("<address>", "account", address);
    withOutput(withSigner(withChain(command))).action((who: Address, flags: Flags) =>
      set(who, allowed, flags),
    );
  };
  change("add", "let an account settle; it earns nothing by that", true);
  change("remove", "take that back", false);
}
