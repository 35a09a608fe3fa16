/** One run of the command line: arguments in, exit code out. */
import { CommanderError } from "commander";
import { ExitCode, printError, usageError } from "./failure.ts";
import { createProgram } from "./program.ts";

/** What Commander says when it has printed help or the version: nothing is wrong. */
const ANSWERED = ["commander.helpDisplayed", "commander.help", "commander.version"];

/**
 * Runs a command to its end.
 * @param args without node and script
 * @returns 0 done, 1 failed, 2 wrong use
 */
export async function runCli(args: readonly string[]): Promise<number> {
  const json = args.includes("--json");
  try {
    const program = await createProgram(args, { quiet: json });
    await program.parseAsync([...args], { from: "user" });
    return Number(process.exitCode ?? ExitCode.done);
  } catch (error) {
    if (!(error instanceof CommanderError)) return printError(error, json);
    if (ANSWERED.includes(error.code) && error.exitCode === 0) return ExitCode.done;
    // Without --json Commander has printed its own words.
    return json ? printError(usageError(error), json) : ExitCode.usage;
  }
}
