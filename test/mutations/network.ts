/** Checks on what comes over the network and goes to the chain, and on the generated verifiers. */
import type { Mutation } from "./list.ts";

export const NETWORK_MUTATIONS: readonly Mutation[] = [
  {
    name: "large-verifier-point",
    attack: "another point beside the right hash in a verifier too large to regenerate in every run",
    file: "contracts/verifiers/LoraVerifier8190.sol",
    find: "uint256(0x1a9691245400ca8d5b97a65e22ac5a5fc3252f8eba6dca13dcc209e001f9e6aa),",
    replace: "uint256(0x0000000000000000000000000000000000000000000000000000000000000001),",
    test: "test/keys/generated.test.ts",
    pattern: "verifier of key 8190",
  },
  {
    name: "connections-unshared",
    attack: "one client that holds every connection with half-sent requests",
    file: "runner/contributor/listen.ts",
    find: "    if (count > (isLoopback(",
    replace: "    if (false && count > (isLoopback(",
    test: "test/contributor/connections.test.ts",
    pattern: "hold a share of the connections",
  },
  {
    name: "stuck-settlement-queued",
    attack: "fees rise, the settlement is never mined, and each try waits behind it until the deadline",
    file: "runner/chain/replace.ts",
    find: "if (performance.now() >= until) return replacement(chain, earlier, mined);",
    replace: "if (performance.now() >= until) return undefined;",
    test: "test/contributor/stuckSettlement.test.ts",
    pattern: "with its nonce for an eighth more",
  },
  {
    name: "settlement-forgotten",
    attack: "a crash between sending and mining forgets what was sent, and it is paid for twice",
    file: "runner/contributor/settlement.ts",
    find: "        this.#proofs.addTransaction(agreementId, receipt.passes, sent);\n",
    replace: "",
    test: "test/contributor/stuckSettlement.test.ts",
    pattern: "with its nonce for an eighth more",
  },
  {
    name: "raised-behind-another",
    attack: "fees raised without end for a transaction that waits behind another",
    file: "runner/chain/replace.ts",
    find: "  if (mined < nonce)\n",
    replace: "  if (false)\n",
    test: "test/contributor/stuckSettlement.test.ts",
    pattern: "nothing is raised",
  },
  {
    name: "raised-without-end",
    attack: "fees raised without end where fees are not the reason",
    file: "runner/chain/replace.ts",
    find: "if (maxFeePerGas > MOST_TIMES_MARKET * market.maxFeePerGas)",
    replace: "if (false)",
    test: "test/contributor/stuckSettlement.test.ts",
    pattern: "nothing is raised",
  },
];
