/** The checks on keys and on ceremonies: each with what succeeds without it. */
import type { Mutation } from "./list.ts";

const TRUST = "test/protocol/keyTrust.test.ts";
const CONTRIBUTOR = "test/contributor/keyTrust.test.ts";

export const KEY_MUTATIONS: readonly Mutation[] = [
  {
    name: "dev-key-anywhere",
    attack: "proofs forged under a key with public secrets where money has value",
    file: "runner/protocol/keyTrust.ts",
    find: "!isForgeable(key) || Number(chainId) === LOCAL_CHAIN_ID || acceptForgeable,",
    replace: "true,",
    test: TRUST,
    pattern: "a dev key is for the local chain",
  },
  {
    name: "empty-ceremony-trusted",
    attack: "a ceremony nobody contributed to passed off as one",
    file: "runner/protocol/keyTrust.ts",
    find: "    key.contributions >= 1 &&\n",
    replace: "",
    test: TRUST,
    pattern: "count as dev",
  },
  {
    name: "dev-key-registered",
    attack: "an adapter committed to under a forgeable key where money has value",
    file: "runner/contributor/register.ts",
    find: "  refuseDevKey(pinnedTrust(verifier.vkHash), chain.chainId, options.acceptForgeableDevKey);\n",
    replace: "",
    test: CONTRIBUTOR,
    pattern: "neither registered nor served",
  },
  {
    name: "dev-key-served",
    attack: "an adapter served under a forgeable key where money has value",
    file: "runner/contributor/service.ts",
    find: "    refuseDevKey(pinnedTrust(vkHash), chain.chainId, acceptForgeableDevKey);\n",
    replace: "",
    test: CONTRIBUTOR,
    pattern: "neither registered nor served",
  },
];
