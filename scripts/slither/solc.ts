/** The pinned compiler, solc as WASM, with as much of native solc's command line as Slither uses. */
import { readFileSync } from "node:fs";
import solc from "solc";

if (process.argv.includes("--version"))
  process.stdout.write(`solc, the solidity compiler\nVersion: ${solc.version()}\n`);
else process.stdout.write(solc.compile(readFileSync(0, "utf8")));
