/** `deltapay evaluate`: perplexity of the base model with remote adapters over a text. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Command } from "commander";
import { Decoder } from "../../model/decoder.ts";
import { perplexity } from "../../model/perplexity.ts";
import { loadPlainModel } from "../../model/plainModel.ts";
import { loadTokenizer } from "../../model/tokenizer.ts";
import { type ChainFlags, openChain, withChain, withPassphrase } from "../connection.ts";
import { badValue } from "../failure.ts";
import { closing, type DataFlags, openBuyer, withData } from "../folders.ts";
import { duration, Output, type OutputFlags, withOutput } from "../output.ts";
import { wholeNumber } from "../parsers.ts";
import { buy, purchaseLines, type UseFlags, withAgreements } from "../remote.ts";

interface Flags extends ChainFlags, DataFlags, UseFlags, OutputFlags {
  text: string;
  tokenizer?: string;
  context: number;
  maxTokens?: number;
  base: boolean;
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    throw badValue("text", `${file} cannot be read`, "name a text file");
  }
}

async function basePerplexity(
  out: Output,
  { model, context }: Flags,
  ids: readonly number[],
): Promise<number> {
  const plain = await loadPlainModel(model);
  try {
    const measured = await perplexity(new Decoder(plain), ids, {
      window: context,
      onWindow: (done, total) => out.progress.update("windows without the adapter", done, total),
    });
    return measured.perplexity;
  } finally {
    await plain.close();
  }
}

async function run(flags: Flags): Promise<void> {
  const out = new Output(flags);
  const ctx = await openChain(flags);
  const tokenizer = await loadTokenizer(
    flags.tokenizer ?? path.join(path.dirname(flags.model), "tokenizer.json"),
  );
  const ids = tokenizer.encode(readText(flags.text)).slice(0, flags.maxTokens);
  await closing(await openBuyer(flags), async (data) => {
    let ms = 0;
    const { result: measured, purchases } = await buy(ctx, data, flags, out, async (model) => {
      const started = performance.now();
      const found = await model.evaluate({
        ids,
        context: flags.context,
        onProgress: (done, total) => out.progress.update("windows", done, total),
      });
      ms = performance.now() - started;
      return found;
    });
    const base = flags.base ? await basePerplexity(out, flags, ids) : null;
    const spent = await purchaseLines(ctx, data, purchases);
    const result = {
      perplexity: { adapter: measured.perplexity, base },
      predictions: measured.predictions,
      tokens: measured.tokens,
      agreements: purchases,
      timings: { evaluateMs: ms },
      warnings: out.warnings,
    };
    out.result(result, () => [
      `perplexity with the adapters ${measured.perplexity.toFixed(3)}${base === null ? "" : `, without ${base.toFixed(3)}`}`,
      `${measured.predictions} predictions, ${measured.tokens} tokens in ${duration(ms)}`,
      ...spent,
    ]);
  });
}

export function registerEvaluate(program: Command): void {
  const command = program
    .command("evaluate")
    .description("perplexity over a text, with the adapters of one or several agreements and without")
    .requiredOption("--text <file>", "the text, UTF-8");
  withOutput(withData(withPassphrase(withChain(withAgreements(command))), "buyer"))
    .option("--tokenizer <file>", "tokenizer.json (default: beside the model)")
    .option("--context <tokens>", "tokens of a window, each from an empty context", wholeNumber(2), 128)
    .option("--max-tokens <n>", "use only the beginning of the text", wholeNumber(2))
    .option("--no-base", "do not measure the base model alone as well")
    .action(run);
}
