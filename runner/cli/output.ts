/** What a command prints: its result once on stdout, everything else on stderr. */
import Table from "cli-table3";
import type { Command } from "commander";
import { stringifyMessage } from "../wire/messages.ts";
import { Progress } from "./progress.ts";
import { visible } from "./visible.ts";

export interface OutputFlags {
  json?: boolean;
}

/** Adds --json. */
export function withOutput(command: Command): Command {
  return command.option("--json", "print one JSON document on stdout; amounts in the smallest unit");
}

export class Output {
  readonly json: boolean;
  readonly progress: Progress;
  /** Everything warned of, for the JSON document. */
  readonly warnings: string[] = [];
  #printed = false;

  constructor(flags: OutputFlags) {
    this.json = flags.json === true;
    this.progress = new Progress(process.stderr);
  }

  /** Something a person may want to know meanwhile. */
  note(text: string): void {
    this.progress.pause();
    process.stderr.write(`${visible(text)}\n`);
  }

  /** Something a person should know. */
  warn(text: string): void {
    // What runs on after its result may warn for ever.
    if (!this.#printed) this.warnings.push(text);
    this.note(`warning: ${text}`);
  }

  /** The result: a JSON document, or lines for a person. */
  result(value: unknown, lines: () => readonly string[]): void {
    this.progress.pause();
    this.#printed = true;
    const text = `${this.json ? stringifyMessage(value, 2) : lines().join("\n")}\n`;
    // What goes to a file or another program is left as it is.
    process.stdout.write(process.stdout.isTTY ? visible(text) : text);
  }
}

function loseLine(): void {}

/**
 * For what is left running: whoever reads stderr may go away, the disk behind it be full. Lines are lost then, nothing else.
 */
export function outliveReaders(): void {
  process.stderr.off("error", loseLine).on("error", loseLine);
}

/** A plain table as one string. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const made = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  made.push(...rows.map((row) => row.map(String)));
  return made.toString();
}

/** Milliseconds as people read them. */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
