/** The Solidity compiler and its settings: the only place; builds, deployments and verification read them here. */

export const COMPILER = {
  /** As package.json pins the npm package solc. */
  version: "0.8.37",
  /** The same, as block explorers name it. */
  longVersion: "v0.8.37+commit.f401782d",
  settings: {
    evmVersion: "prague",
    viaIR: true,
    optimizer: { enabled: true, runs: 10_000 },
    // Without metadata a change of comments or paths leaves the code hashes that buyers pin as they are.
    metadata: { appendCBOR: false, bytecodeHash: "none" },
  },
};
