/** All commands. Only the one that runs is loaded: what it does not need would only make it slow to start. */
import * as fs from "node:fs";
import { Command } from "commander";
import { completeHelp } from "./help.ts";

type Register = (program: Command) => void;

interface Entry {
  name: string;
  /** For the list of commands. */
  summary: string;
  load: () => Promise<Register>;
}

const entry = (name: string, summary: string, load: () => Promise<Register>): Entry => ({
  name,
  summary,
  load,
});

const GROUPS: readonly (readonly [heading: string, entries: readonly Entry[]])[] = [
  [
    "Everything at once:",
    [
      entry("demo", "the main job on real input, or one attack on it that fails", async () => {
        return (await import("./commands/demo.ts")).registerDemo;
      }),
    ],
  ],
  [
    "Chain and keys:",
    [
      entry("chain", "run a local chain", async () => (await import("./commands/chain.ts")).registerChain),
      entry("deploy", "put the contracts on a chain", async () => {
        return (await import("./commands/deploy.ts")).registerDeploy;
      }),
      entry("keys", "build, list and verify proving keys", async () => {
        return (await import("./commands/keys.ts")).registerKeys;
      }),
      entry("ceremony", "make keys by many hands", async () => {
        return (await import("./commands/ceremony.ts")).registerCeremony;
      }),
    ],
  ],
  [
    "Contributor:",
    [
      entry("adapter", "inspect and register PEFT LoRA adapters", async () => {
        return (await import("./commands/adapter.ts")).registerAdapter;
      }),
      entry("offer", "make, cancel and show terms", async () => {
        return (await import("./commands/offer.ts")).registerOffer;
      }),
      entry("leakage", "what answers give away of an adapter, and how far that may go", async () => {
        return (await import("./commands/leakage.ts")).registerLeakage;
      }),
      entry("operator", "let others settle for you", async () => {
        return (await import("./commands/operator.ts")).registerOperator;
      }),
      entry("serve", "serve adapters; prove and settle by itself", async () => {
        return (await import("./commands/serve.ts")).registerServe;
      }),
    ],
  ],
  [
    "Buyer:",
    [
      entry("open", "verify an adapter, accept an offer, pay in", async () => {
        return (await import("./commands/open.ts")).registerOpen;
      }),
      entry("generate", "text from the base model with remote adapters", async () => {
        return (await import("./commands/generate.ts")).registerGenerate;
      }),
      entry("evaluate", "perplexity with and without the adapters", async () => {
        return (await import("./commands/evaluate.ts")).registerEvaluate;
      }),
      entry("gateway", "an OpenAI-compatible server with your paid adapters", async () => {
        return (await import("./commands/gateway.ts")).registerGateway;
      }),
      entry("close", "end an agreement", async () => (await import("./commands/close.ts")).registerClose),
    ],
  ],
  [
    "Money:",
    [
      entry("prove", "prove what an ended session owes", async () => {
        return (await import("./commands/prove.ts")).registerProve;
      }),
      entry("settle", "prove and be paid", async () => (await import("./commands/settle.ts")).registerSettle),
      entry("release", "give the buyer back what is left, now", async () => {
        return (await import("./commands/release.ts")).registerRelease;
      }),
      entry("refund", "after the deadline: what is left to the buyer", async () => {
        return (await import("./commands/refund.ts")).registerRefund;
      }),
      entry("withdraw", "take out what was credited", async () => {
        return (await import("./commands/withdraw.ts")).registerWithdraw;
      }),
    ],
  ],
  [
    "Both:",
    [
      entry("app", "the wallet UI in a browser", async () => (await import("./commands/app.ts")).registerApp),
      entry("status", "agreements here and on chain, and credits", async () => {
        return (await import("./commands/status.ts")).registerStatus;
      }),
      entry("audit", "check and replay what was settled", async () => {
        return (await import("./commands/audit.ts")).registerAudit;
      }),
      entry("backup", "a role's data as one file", async () => {
        return (await import("./commands/backup.ts")).registerBackup;
      }),
      entry("restore", "bring a backup back", async () => {
        return (await import("./commands/backup.ts")).registerRestore;
      }),
    ],
  ],
];

/** Names of all commands. */
export const COMMANDS: readonly string[] = GROUPS.flatMap(([, entries]) => entries.map(({ name }) => name));

function version(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(fs.readFileSync(file, "utf8")) as { version: string }).version;
}

/** Subcommands inherit nothing: each gets what the program has. */
function forAll(command: Command, apply: (command: Command) => void): void {
  apply(command);
  for (const child of command.commands) forAll(child, apply);
}

/** The command meant: `open …`, `help open`. */
function wantedCommand(args: readonly string[]): string | undefined {
  return args.find((arg) => !arg.startsWith("-") && arg !== "help");
}

/**
 * The program for these arguments; errors of use are thrown.
 * @param quiet print nothing about them
 */
export async function createProgram(args: readonly string[], { quiet = false } = {}): Promise<Command> {
  const program = new Command("deltapay")
    .description(
      "Pay for LoRA adapters without trust: inference by two parties, proofs, settlement by contract.",
    )
    .version(version())
    .showHelpAfterError("(add --help for the options)");
  const wanted = wantedCommand(args);
  for (const [heading, entries] of GROUPS) {
    program.commandsGroup(heading);
    for (const { name, summary, load } of entries)
      if (name === wanted) (await load())(program);
      else program.command(name).description(summary);
  }
  forAll(program, (command) => {
    command.exitOverride();
    completeHelp(command);
    if (quiet) command.configureOutput({ writeErr: () => {} });
  });
  return program;
}
