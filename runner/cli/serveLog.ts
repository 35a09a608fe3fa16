/** What `serve` tells: lines for a person on a terminal, else one JSON object a line; in a file when asked to. */

import * as path from "node:path";
import { type Command, Option } from "commander";
import { type DestinationStream, pino } from "pino";
import type { ContributorEvent } from "../contributor/events.ts";
import { logEvent, type ServiceLog, serviceLog, withoutAddresses } from "../contributor/operations/log.ts";
import type { Answered } from "../contributor/operations/metrics.ts";
import { makePrivateDirectory } from "../storage/files.ts";
import { type Output, outliveReaders } from "./output.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

export interface LogFlags {
  logFormat?: "pretty" | "json";
  logLevel: (typeof LEVELS)[number];
  logFile?: string;
}

/** Adds --log-format, --log-level and --log-file. */
export function withLog(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--log-format <format>",
        "lines for people, or JSON (default: for people on a terminal)",
      ).choices(["pretty", "json"]),
    )
    .addOption(
      new Option("--log-level <level>", "debug tells of every request").choices(LEVELS).default("info"),
    )
    .option("--log-file <file>", "append the log, as JSON, to a file");
}

export interface ServeLog {
  event(event: ContributorEvent): void;
  answered(answered: Answered): void;
  note(text: string): void;
  warn(text: string): void;
}

/** The log of a service, to stderr and where asked for to a file besides. */
export function openLog({ logFormat, logLevel, logFile }: LogFlags, out: Output): ServeLog {
  const isPretty =
    logFormat === undefined ? process.stderr.isTTY === true && !out.json : logFormat === "pretty";
  const logs: ServiceLog[] = [];
  outliveReaders();
  if (!isPretty) logs.push(serviceLog({ write: (line) => out.note(line.trimEnd()) }, logLevel));
  if (logFile !== undefined) logs.push(serviceLog(appendTo(logFile, out), logLevel));
  return {
    event: (event) => {
      if (isPretty) out.note(eventLine(event));
      for (const log of logs) logEvent(log, event);
    },
    answered: (answered) => {
      for (const log of logs) log.debug({ type: "answered", ...answered });
    },
    note: (text) => {
      if (isPretty) out.note(text);
      for (const log of logs) log.info(text);
    },
    warn: (words) => {
      const text = withoutAddresses(words);
      if (isPretty) out.warn(text);
      else out.warnings.push(text);
      for (const log of logs) log.warn(text);
    },
  };
}

/** Bytes kept while the file takes none. */
const LOG_BACKLOG = 2 ** 20;

/** A log file, its owner's only. On a full disk lines wait and then are lost: a log is no reason to stop serving. */
function appendTo(logFile: string, out: Output): DestinationStream {
  makePrivateDirectory(path.dirname(path.resolve(logFile)));
  const options = { dest: logFile, append: true, sync: true, mode: 0o600, maxLength: LOG_BACKLOG };
  const file = pino.destination(options);
  let isTold = false;
  file.on("error", (error: Error) => {
    if (!isTold) out.note(`the log file takes no lines: ${error.message}`);
    isTold = true;
  });
  return file;
}

function describe({ message, hint }: { message: string; hint: string | undefined }): string {
  return hint === undefined ? message : `${message} (${hint})`;
}

/** An event as a line for a person. */
function eventLine(event: ContributorEvent): string {
  const agreement =
    "agreementId" in event && event.agreementId !== null ? `${event.agreementId.slice(0, 10)}… ` : "";
  switch (event.type) {
    case "listening":
      return `listening at ${event.url}`;
    case "session-opened":
      return `${agreement}session opened (${event.passes} passes, ${event.tokens} tokens so far)`;
    case "pass":
      return `${agreement}pass ${event.pass}: ${event.tokens} tokens, ${event.totalTokens} in all, ${event.unpaidTokens} without a receipt`;
    case "receipt":
      return `${agreement}receipt for ${event.passes} passes, ${event.tokens} tokens`;
    case "receipt-refused":
      return `${agreement}receipt REFUSED: ${event.reason}`;
    case "ended":
      return `${agreement}ended: ${event.reason}`;
    case "proving":
      return `${agreement}proof ${event.done} of ${event.total} (${Math.round(event.proveMs)} ms)`;
    case "settling":
      return `${agreement}settling in ${event.txHash}`;
    case "settled":
      return `${agreement}settled: ${event.tokens} tokens, ${event.owed} owed`;
    case "closed":
      return `${agreement}closed: ${event.reason}`;
    case "reopened":
      return `${agreement}was ${event.was}; the chain shows it unpaid: it is settled again`;
    case "withdrawn":
      return `withdrawn: ${event.amount} of ${event.token} to ${event.to}`;
    case "leakage":
      return `${agreement}LEAKAGE: ${event.tokensSold} tokens of ${event.adapterId.slice(0, 10)}… sold to ${event.of === "all" ? "all buyers together" : "this buyer"}, ${event.ratio.toFixed(2)} of what gives it away`;
    case "not-settled-here":
      return `NOT settled by this service, their adapters are not served: ${event.agreementIds.join(", ")}`;
    case "failed":
      return `${agreement}FAILED ${event.doing}: ${withoutAddresses(describe(event.error))}`;
  }
}
