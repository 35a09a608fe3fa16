/** `deltapay generate`: text from the base model with remote adapters. */
import * as path from "node:path";
import type { Command } from "commander";
import { loadTokenizer } from "../../model/tokenizer.ts";
import { type ChainFlags, openChain, withChain, withPassphrase } from "../connection.ts";
import { closing, type DataFlags, openBuyer, withData } from "../folders.ts";
import { duration, Output, type OutputFlags, withOutput } from "../output.ts";
import { decimalNumber, several, wholeNumber } from "../parsers.ts";
import { buy, purchaseLines, type UseFlags, withAgreements } from "../remote.ts";

interface Flags extends ChainFlags, DataFlags, UseFlags, OutputFlags {
  prompt: string;
  tokenizer?: string;
  maxTokens: number;
  temperature: number;
  topP: number;
  seed: number;
  stop?: string[];
}

async function run(flags: Flags): Promise<void> {
  const out = new Output(flags);
  const ctx = await openChain(flags);
  const tokenizer = await loadTokenizer(
    flags.tokenizer ?? path.join(path.dirname(flags.model), "tokenizer.json"),
  );
  await closing(await openBuyer(flags), async (data) => {
    let ms = 0;
    const { result: generated, purchases } = await buy(ctx, data, flags, out, async (model) => {
      const started = performance.now();
      const { prompt, maxTokens, temperature, topP, seed, stop = [] } = flags;
      const options = { prompt, maxTokens, temperature, topP, seed, stop, endIds: tokenizer.endIds };
      const text = await model.generate(tokenizer, {
        ...options,
        // Each piece as it comes; the JSON document has the whole text.
        onText: (piece) => process.stderr.write(out.json ? "" : piece),
      });
      ms = performance.now() - started;
      return text;
    });
    if (!out.json) process.stderr.write("\n");
    const { text, added, reason } = generated;
    const spent = await purchaseLines(ctx, data, purchases);
    for (const line of spent) out.note(line);
    out.note(`${added} tokens in ${duration(ms)}`);
    const result = {
      text,
      added,
      reason,
      agreements: purchases,
      timings: { generateMs: ms },
      warnings: out.warnings,
    };
    out.result(result, () => [text]);
  });
}

export function registerGenerate(program: Command): void {
  const command = program
    .command("generate")
    .description("continue a prompt with the base model and the adapters of one or several agreements")
    .requiredOption("--prompt <text>", "text to continue");
  withOutput(withData(withPassphrase(withChain(withAgreements(command))), "buyer"))
    .option("--tokenizer <file>", "tokenizer.json (default: beside the model)")
    .option("--max-tokens <n>", "most tokens to add", wholeNumber(1), 32)
    .option("--temperature <t>", "0 takes the most likely token", decimalNumber, 0)
    .option("--top-p <p>", "sample from the most likely tokens that add up to this", decimalNumber, 1)
    .option("--seed <n>", "makes sampling reproducible", wholeNumber(Number.MIN_SAFE_INTEGER), 0)
    .option("--stop <text>", "text to stop before, repeatable", several(String))
    .action(run);
}
