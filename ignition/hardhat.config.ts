/** Configuration of Hardhat Ignition, for `npx hardhat --config ignition/hardhat.config.ts ignition ...` alone. */
import hardhatIgnition from "@nomicfoundation/hardhat-ignition";
import { defineConfig } from "hardhat/config";
import project from "../hardhat.config.ts";

const { DELTAPAY_RPC, DELTAPAY_PRIVATE_KEY } = process.env;

export default defineConfig({
  plugins: [hardhatIgnition],
  solidity: project.solidity!,
  // The module brings the code that was generated and checked: the build before a deployment finds no sources.
  paths: {
    sources: "ignition/contracts",
    artifacts: "build/ignition/artifacts",
    cache: "build/ignition/cache",
  },
  networks: {
    chain: {
      type: "http",
      url: DELTAPAY_RPC ?? "http://127.0.0.1:8545",
      // The node signs unless a key is given.
      accounts: DELTAPAY_PRIVATE_KEY === undefined ? "remote" : [DELTAPAY_PRIVATE_KEY],
    },
  },
});
