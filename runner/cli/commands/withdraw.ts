/** `deltapay withdraw`: one's own credit leaves the escrow. */
import type { Command } from "commander";
import { readToken } from "../../chain/erc20.ts";
import { withdraw } from "../../chain/escrow.ts";
import type { Address } from "../../protocol/typedData.ts";
import { formatAmount } from "../amounts.ts";
import { type ChainFlags, openSigningChain, withChain, withSigner } from "../connection.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";
import { address, tokenOption } from "../parsers.ts";

interface Flags extends ChainFlags, OutputFlags {
  token: Address;
  to?: Address;
}

async function run(flags: Flags): Promise<void> {
  const ctx = await openSigningChain(flags);
  const token = await readToken(ctx, flags.token);
  const to = flags.to ?? ctx.account.address;
  const { amount, txHash, gasUsed } = await withdraw(ctx, token.address, to);
  new Output(flags).result({ token: token.address, amount, to, txHash, gasUsed }, () => [
    `${formatAmount(amount, token)} sent to ${to}`,
  ]);
}

export function registerWithdraw(program: Command): void {
  const command = program
    .command("withdraw")
    .description("take out what settlements, releases and refunds have credited to the account")
    .addOption(tokenOption("--token <address>", "ERC-20"))
    .option("--to <address>", "where to send it (default: the account)", address);
  withOutput(withSigner(withChain(command))).action(run);
}
