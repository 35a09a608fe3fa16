/** What the commands of a ceremony have in common. */
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { type Output, type OutputFlags, withOutput } from "./output.ts";

export interface PtauFlags extends OutputFlags {
  acceptUnknownPtau?: boolean;
}

/** Adds --accept-unknown-ptau and --json. */
export function withPtau(command: Command): Command {
  return withOutput(
    command.option(
      "--accept-unknown-ptau",
      "take powers of tau that are not the public ones: whoever made them alone forges proofs",
    ),
  );
}

/** What a person at a terminal types to be mixed into the secret; nothing elsewhere. */
export async function typedEntropy(out: Output): Promise<string> {
  if (out.json || !process.stdin.isTTY) return "";
  out.progress.pause();
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const text = await terminal.question("Type anything to be mixed into the secret (Enter for none): ");
  terminal.close();
  return text;
}

export const onProgress =
  (out: Output) =>
  (step: string, done: number, total: number): void =>
    out.progress.update(step, done, total);
