/** `deltapay release`: the contributor gives back what is left, without waiting for the deadline. */
import type { Command } from "commander";
import { requireAgreement } from "../../chain/agreements.ts";
import { readToken } from "../../chain/erc20.ts";
import { release } from "../../chain/escrow.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { formatAmount } from "../amounts.ts";
import { type ChainFlags, openSigningChain, withChain, withSigner } from "../connection.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";
import { hash } from "../parsers.ts";

async function run(agreementId: Hex, flags: ChainFlags & OutputFlags): Promise<void> {
  const ctx = await openSigningChain(flags);
  const { token: address, buyer } = await requireAgreement(ctx, agreementId);
  const { amount, txHash, gasUsed } = await release(ctx, agreementId);
  const token = await readToken(ctx, address);
  new Output(flags).result({ agreementId, status: "released", amount, buyer, txHash, gasUsed }, () => [
    `${formatAmount(amount, token)} given back to ${buyer}; nothing more settles under this agreement`,
  ]);
}

export function registerRelease(program: Command): void {
  const command = program
    .command("release")
    .description("as contributor: give the buyer back what is not settled, now")
    .argument("<agreement>", "agreement id", hash);
  withOutput(withSigner(withChain(command))).action(run);
}
