/** `deltapay refund`: after the deadline what is left becomes the buyer's credit. */
import type { Command } from "commander";
import { requireAgreement } from "../../chain/agreements.ts";
import { readToken } from "../../chain/erc20.ts";
import { refund } from "../../chain/escrow.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { formatAmount } from "../amounts.ts";
import { type ChainFlags, openSigningChain, withChain, withSigner } from "../connection.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";
import { hash } from "../parsers.ts";

async function run(agreementId: Hex, flags: ChainFlags & OutputFlags): Promise<void> {
  const ctx = await openSigningChain(flags);
  const { token: address, buyer } = await requireAgreement(ctx, agreementId);
  const { amount, txHash, gasUsed } = await refund(ctx, agreementId);
  const token = await readToken(ctx, address);
  new Output(flags).result({ agreementId, status: "refunded", amount, buyer, txHash, gasUsed }, () => [
    `${formatAmount(amount, token)} credited to ${buyer}; deltapay withdraw fetches it`,
  ]);
}

export function registerRefund(program: Command): void {
  const command = program
    .command("refund")
    .description("after the deadline: credit the buyer what is not settled; anyone may send it")
    .argument("<agreement>", "agreement id", hash);
  withOutput(withSigner(withChain(command))).action(run);
}
