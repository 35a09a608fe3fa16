import { fileURLToPath } from "node:url";
import { defineConfig } from "hardhat/config";
import { COMPILER } from "./runner/chain/compiler.ts";

/** The compiler comes from the npm package, so that a build needs no download. */
const compiler = {
  version: COMPILER.version,
  settings: COMPILER.settings,
  path: fileURLToPath(import.meta.resolve("solc/soljson.js")),
};

/** Set by scripts/test-contracts-deep.ts and scripts/coverage.ts. */
function number(variable: string, otherwise: number): number {
  return Number(process.env[variable] ?? otherwise);
}

export default defineConfig({
  solidity: { profiles: { default: compiler, production: compiler } },
  test: {
    solidity: {
      fuzz: {
        runs: number("DELTAPAY_FUZZ_RUNS", 256),
        seed: process.env["DELTAPAY_FUZZ_SEED"] ?? "0x64656c7461706179",
      },
      invariant: {
        runs: number("DELTAPAY_INVARIANT_RUNS", 256),
        depth: number("DELTAPAY_INVARIANT_DEPTH", 100),
        failOnRevert: true,
        // Its values come in an order that no seed fixes; the campaign hashes what it draws, and has no use for them.
        dictionaryWeight: 0,
      },
      // Where a campaign adds up what its runs have seen.
      fsPermissions: { readWriteFile: ["cache/invariants.bin"] },
    },
  },
  coverage: { skipFiles: ["contracts/test/**"] },
});
