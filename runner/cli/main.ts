/** The `deltapay` command. */
import { runCli } from "./run.ts";

const code = await runCli(process.argv.slice(2));
// Workers and connections kept for speed would keep the process alive; what was printed must first be out.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
