import { fileURLToPath } from "node:url";
import { defineConfig } from "hardhat/config";

/** The compiler comes from the npm package, so that a build needs no download. */
const compiler = {
  version: "0.8.37",
  path: fileURLToPath(import.meta.resolve("solc/soljson.js")),
  settings: {
    evmVersion: "prague",
    viaIR: true,
    optimizer: { enabled: true, runs: 10_000 },
    // Without metadata a change of comments or paths leaves the code hashes that buyers pin as they are.
    metadata: { appendCBOR: false, bytecodeHash: "none" },
  },
};

export default defineConfig({
  solidity: { profiles: { default: compiler, production: compiler } },
  test: { solidity: { fuzz: { runs: 256, seed: "0x64656c7461706179" } } },
});
