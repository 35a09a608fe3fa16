/** What `open`, `generate`, `evaluate` and `gateway` share: verified adapters and the agreements in use. */
import * as path from "node:path";
import type { Command } from "commander";
import { type AdapterUse, loadAdapter } from "../buyer/loadAdapter.ts";
import { AdaptedModel } from "../buyer/model/adaptedModel.ts";
import { RemoteAdapter } from "../buyer/session/remoteAdapter.ts";
import type { BuyerData } from "../buyer/store/dataFolder.ts";
import type { ChainContext } from "../chain/connect.ts";
import { readToken } from "../chain/erc20.ts";
import type { Hex } from "../protocol/bytes.ts";
import { keepOpening } from "../storage/transcript.ts";
import { type AgreementFlags, chosenAgreements, finishOpenings } from "./agreements.ts";
import { formatAmount } from "./amounts.ts";
import { acceptForgeableOption } from "./connection.ts";
import type { Output } from "./output.ts";
import { hash, nodeChoice, several } from "./parsers.ts";

export interface ModelFlags {
  model: string;
  node?: Record<string, string>;
  acceptForgeableDevKey?: boolean;
}

export interface UseFlags extends ModelFlags, AgreementFlags {
  end?: boolean;
  keepTranscript?: boolean;
  keepOpening?: boolean;
}

/** Adds what a command needs that runs or checks the base model. */
export function withModel(command: Command): Command {
  return command
    .requiredOption("--model <file>", "the base model, ONNX")
    .option(
      "--node <module=node>",
      "the node a module attaches to, where it is not found by itself",
      nodeChoice,
    )
    .addOption(acceptForgeableOption());
}

/** Adds what a command needs that buys tokens. */
export function withAgreements(command: Command): Command {
  return withModel(command)
    .option(
      "--agreement <id>",
      "agreement to use, repeatable: deltas are added (default: the open one)",
      several(hash),
    )
    .option(
      "--contributor <url>",
      "use the open agreement with this contributor, repeatable; follows it to a new certificate or URL",
      several(String),
    )
    .option("--end", "afterwards tell the contributor that this was all: it proves and settles")
    .option("--keep-transcript", "keep every pass for audits (large)")
    .option("--keep-opening", "keep what the last receipt opens to, for audits (small)");
}

/** The flags as the buyer's rooms take them; warnings and progress are shown. */
export function adapterUse(flags: ModelFlags, out: Output): AdapterUse {
  return {
    modelPath: flags.model,
    acceptForgeableDevKey: flags.acceptForgeableDevKey === true,
    ...(flags.node === undefined ? {} : { nodes: flags.node }),
    onProgress: (step, done, total) => out.progress.update(step, done, total),
    onWarning: (warning) => out.warn(warning),
  };
}

/** What buying came to with one contributor. */
export interface Purchase {
  agreementId: Hex;
  adapterId: Hex;
  /** Of this command. */
  tokens: number;
  /** Of the agreement so far. */
  passes: number;
  tokensTotal: number;
  tokensLeft: number;
  /** Of this command, smallest unit. */
  cost: bigint;
  owed: bigint;
  receipt: { passes: bigint; tokens: bigint } | null;
  /** Mean time to compute a receipt's statements, milliseconds; null when none was sent. */
  receiptMs: number | null;
  leakage: RemoteAdapter["leakage"];
  ended: boolean;
}

/** Signs for what was used, and ends the session if asked to. */
async function conclude(
  adapter: RemoteAdapter,
  before: number,
  receiptTimes: readonly number[],
  end: boolean,
): Promise<Purchase> {
  const { passes, tokens, tokensLeft } = adapter.progress;
  const signed = passes === 0 ? null : (await adapter.signReceipt()).receipt;
  if (end) await adapter.end();
  const { offer, amount } = adapter.terms;
  const worth = BigInt(tokens) * offer.pricePerToken;
  return {
    agreementId: adapter.agreementId,
    adapterId: offer.adapterId,
    tokens: tokens - before,
    passes,
    tokensTotal: tokens,
    tokensLeft,
    cost: BigInt(tokens - before) * offer.pricePerToken,
    owed: worth < amount ? worth : amount,
    receipt: signed && { passes: signed.passes, tokens: signed.tokens },
    receiptMs: receiptTimes.length === 0 ? null : receiptTimes.reduce((a, b) => a + b) / receiptTimes.length,
    leakage: adapter.leakage,
    ended: end,
  };
}

/** Runs work on the base model with the adapters of the chosen agreements, then signs for it. */
export async function buy<Result>(
  ctx: ChainContext,
  data: BuyerData,
  flags: UseFlags,
  out: Output,
  work: (model: AdaptedModel, adapters: readonly RemoteAdapter[]) => Promise<Result>,
): Promise<{ result: Result; purchases: Purchase[] }> {
  const adapters: RemoteAdapter[] = [];
  const receiptTimes: number[][] = [];
  await finishOpenings(ctx, data, flags, out);
  for (const agreement of await chosenAgreements(ctx, data, flags, out)) {
    const times: number[] = [];
    const use = { ...adapterUse(flags, out), keepTranscript: flags.keepTranscript === true };
    const options = await loadAdapter(ctx, data, agreement.terms, use);
    adapters.push(new RemoteAdapter({ ...options, onReceipt: ({ computeMs }) => times.push(computeMs) }));
    receiptTimes.push(times);
  }
  const model = await AdaptedModel.create({
    modelPath: flags.model,
    adapters,
    ...(flags.node === undefined ? {} : { nodes: flags.node }),
    onWarning: (warning) => out.warn(warning),
  });
  try {
    const before = adapters.map(({ progress }) => progress.tokens);
    const result = await work(model, adapters);
    const purchases: Purchase[] = [];
    for (const [a, adapter] of adapters.entries()) {
      purchases.push(await conclude(adapter, before[a]!, receiptTimes[a]!, flags.end === true));
      if (flags.keepOpening === true && adapter.progress.passes > 0)
        keepOpening(path.join(data.transcripts, adapter.agreementId), adapter.openingFile());
    }
    for (const { agreementId, ended } of purchases) if (ended) data.store.setPhase(agreementId, "ended");
    return { result, purchases };
  } finally {
    await model.close();
  }
}

/** A line a purchase, for a person. */
export async function purchaseLines(
  ctx: ChainContext,
  data: BuyerData,
  purchases: readonly Purchase[],
): Promise<string[]> {
  const lines: string[] = [];
  for (const { agreementId, tokens, cost, tokensLeft, ended } of purchases) {
    const token = await readToken(ctx, data.store.agreement(agreementId).terms.offer.token);
    lines.push(
      `${agreementId.slice(0, 10)}…: ${tokens} tokens for ${formatAmount(cost, token)}, ${ended ? "ended" : `${tokensLeft} left`}`,
    );
  }
  return lines;
}
