/** `deltapay settle`: prove what is not proven and have it paid. */
import * as fs from "node:fs";
import type { Command } from "commander";
import { requireAgreement } from "../../chain/agreements.ts";
import type { ChainContext } from "../../chain/connect.ts";
import { readToken } from "../../chain/erc20.ts";
import { readSettlements } from "../../chain/history.ts";
import { settle } from "../../chain/settle.ts";
import { ProofStore } from "../../contributor/store/proofs.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { bundleSchema, type ProofBundle, parseMessage } from "../../wire/messages.ts";
import { formatAmount } from "../amounts.ts";
import {
  type ChainFlags,
  gasOf,
  openSigningChain,
  type Signing,
  withChain,
  withSigner,
} from "../connection.ts";
import { badValue } from "../failure.ts";
import { closing, type DataFlags, openContributor, withData } from "../folders.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";
import { hash } from "../parsers.ts";
import { settlementOf } from "../settlement.ts";

interface Flags extends ChainFlags, DataFlags, OutputFlags {
  bundle?: string;
}

function readBundleFile(file: string, agreementId: Hex): ProofBundle {
  let json: unknown;
  try {
    json = JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    throw badValue("bundle", `${file} cannot be read as JSON`, "deltapay prove --out FILE writes one");
  }
  const bundle = parseMessage(bundleSchema, json, "bundle");
  if (bundle.agreementId !== agreementId)
    throw badValue("bundle", `the bundle is of agreement ${bundle.agreementId}`);
  return bundle;
}

/** From a bundle, as an operator without the contributor's data does. @returns transactions */
async function settleBundle(out: Output, ctx: Signing<ChainContext>, bundle: ProofBundle): Promise<Hex[]> {
  const { transactions } = await settle(ctx, bundle, {
    onChunk: (done, total) => out.progress.update("groups settled", done, total),
  });
  return transactions.map(({ txHash }) => txHash);
}

async function settleOwn(
  out: Output,
  ctx: Signing<ChainContext>,
  agreementId: Hex,
  flags: Flags,
): Promise<Hex[]> {
  return closing(await openContributor(flags), async (data) => {
    const { settlement } = settlementOf(data, ctx, agreementId);
    const outcome = await settlement.settleAgreement(agreementId, (done, total) =>
      out.progress.update("proofs", done, total),
    );
    if (outcome.status === "waiting")
      out.note("settled, not final yet: run the command again to see it final");
    return new ProofStore(data.database).transactions(agreementId);
  });
}

async function run(agreementId: Hex, flags: Flags): Promise<void> {
  const out = new Output(flags);
  const ctx = await openSigningChain(flags);
  const transactions =
    flags.bundle === undefined
      ? await settleOwn(out, ctx, agreementId, flags)
      : await settleBundle(out, ctx, readBundleFile(flags.bundle, agreementId));
  const agreement = await requireAgreement(ctx, agreementId);
  const token = await readToken(ctx, agreement.token);
  const settled = (await readSettlements(ctx, agreementId)).at(-1);
  let gasUsed = 0n;
  for (const txHash of transactions) gasUsed += await gasOf(ctx, txHash);
  const result = {
    agreementId,
    status: settled === undefined ? "incomplete" : "settled",
    txHash: settled?.txHash ?? null,
    transactions,
    gasUsed,
    tokens: settled?.tokens ?? null,
    paid: agreement.paid,
    payout: agreement.payout,
  };
  out.result(result, () => [
    settled === undefined
      ? "groups are missing: nothing is paid yet"
      : `settled ${settled.tokens} tokens: ${formatAmount(agreement.paid, token)} credited to ${agreement.payout}`,
    `${transactions.length} transactions, ${gasUsed} gas; deltapay withdraw fetches the money`,
  ]);
}

export function registerSettle(program: Command): void {
  const command = program
    .command("settle")
    .description("prove what is not proven, send the proofs, be credited; by the contributor or its operator")
    .argument("<agreement>", "agreement id", hash)
    .option("--bundle <file>", "settle from a proof bundle instead of the data folder");
  withOutput(withData(withSigner(withChain(command)), "contributor")).action(run);
}
