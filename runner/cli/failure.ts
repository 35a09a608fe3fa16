/** How a command that fails says so: message, field and hint, as text or as JSON, and an exit code. */
import type { CommanderError } from "commander";
import { DeltapayError } from "../protocol/errors.ts";
import { systemError } from "./systemErrors.ts";
import { visible } from "./visible.ts";

export const ExitCode = { done: 0, failed: 1, usage: 2 } as const;

/** A value on the command line that cannot be meant; exit code 2. */
export function badValue(field: string, message: string, hint?: string): DeltapayError {
  return new DeltapayError("usage/bad-value", message, { field, ...(hint === undefined ? {} : { hint }) });
}

/** Errors of the other rooms that only an argument can cause. */
const WRONG_USE: readonly string[] = [
  "audit/unknown-tampering",
  "ceremony/bad-url",
  "chain/bad-url",
  "demo/unknown-cheat",
  "http/bad-url",
  "key/unknown-size",
];

/** The exit code an error ends the command with. */
function exitCodeOf({ code }: DeltapayError): number {
  return code.startsWith("usage/") || WRONG_USE.includes(code) ? ExitCode.usage : ExitCode.failed;
}

/** Commander's complaint as the errors of this project look. */
export function usageError(error: CommanderError): DeltapayError {
  const message = error.message.replace(/^error: /, "");
  return new DeltapayError("usage/bad-arguments", message || "a command is missing", {
    field: "arguments",
    hint: "deltapay COMMAND --help",
  });
}

/** Errors of Node and libraries, in the one form there is; their causes and stacks stay here. */
function asDeltapayError(error: unknown): DeltapayError {
  if (error instanceof DeltapayError) return error;
  const ofSystem = systemError(error);
  if (ofSystem !== undefined) return ofSystem;
  const message = error instanceof Error ? error.message : String(error);
  return new DeltapayError("internal/error", message, {
    cause: error,
    hint: "this is a fault of the program: DELTAPAY_DEBUG=1 shows where",
  });
}

/**
 * Prints an error: JSON on stdout when asked for (it is then the one document), text on stderr.
 * @returns the exit code
 */
export function printError(error: unknown, json: boolean): number {
  const known = asDeltapayError(error);
  if (json) process.stdout.write(`${JSON.stringify({ error: known }, null, 2)}\n`);
  else {
    const field = known.field === undefined ? "" : `\n  field: ${known.field}`;
    const hint = known.hint === undefined ? "" : `\n  hint: ${known.hint}`;
    process.stderr.write(visible(`error: ${known.message}${field}${hint}\n  code: ${known.code}\n`));
  }
  if (process.env["DELTAPAY_DEBUG"] === "1" && known.stack !== undefined)
    process.stderr.write(`${known.stack}\n`);
  return exitCodeOf(known);
}
