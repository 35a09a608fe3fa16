/** All commands. Each group is a file of commands/. */
import * as fs from "node:fs";
import { Command } from "commander";
import { registerDemo } from "../demo/command.ts";
import { registerAdapter } from "./commands/adapter.ts";
import { registerBackup } from "./commands/backup.ts";
import { registerChain } from "./commands/chain.ts";
import { registerClose } from "./commands/close.ts";
import { registerDeploy } from "./commands/deploy.ts";
import { registerEvaluate } from "./commands/evaluate.ts";
import { registerGenerate } from "./commands/generate.ts";
import { registerKeys } from "./commands/keys.ts";
import { registerOffer } from "./commands/offer.ts";
import { registerOpen } from "./commands/open.ts";
import { registerOperator } from "./commands/operator.ts";
import { registerProve } from "./commands/prove.ts";
import { registerRefund } from "./commands/refund.ts";
import { registerRelease } from "./commands/release.ts";
import { registerServe } from "./commands/serve.ts";
import { registerSettle } from "./commands/settle.ts";
import { registerStatus } from "./commands/status.ts";
import { registerWithdraw } from "./commands/withdraw.ts";

const GROUPS: readonly [heading: string, registrations: readonly ((program: Command) => void)[]][] = [
  ["Everything at once:", [registerDemo]],
  ["Chain and keys:", [registerChain, registerDeploy, registerKeys]],
  ["Contributor:", [registerAdapter, registerOffer, registerOperator, registerServe]],
  ["Buyer:", [registerOpen, registerGenerate, registerEvaluate, registerClose]],
  ["Money:", [registerProve, registerSettle, registerRelease, registerRefund, registerWithdraw]],
  ["Both:", [registerStatus, registerBackup]],
];

function version(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(fs.readFileSync(file, "utf8")) as { version: string }).version;
}

/** Subcommands inherit nothing: each gets what the program has. */
function forAll(command: Command, apply: (command: Command) => void): void {
  apply(command);
  for (const child of command.commands) forAll(child, apply);
}

/**
 * The program; errors of use are thrown.
 * @param quiet print nothing about them
 */
export function createProgram({ quiet = false } = {}): Command {
  const program = new Command("deltapay")
    .description(
      "Pay for LoRA adapters without trust: inference by two parties, proofs, settlement by contract.",
    )
    .version(version())
    .showHelpAfterError("(add --help for the options)");
  for (const [heading, registrations] of GROUPS) {
    program.commandsGroup(heading);
    for (const register of registrations) register(program);
  }
  forAll(program, (command) => {
    command.exitOverride();
    if (quiet) command.configureOutput({ writeErr: () => {} });
  });
  return program;
}
