/** The checks on keys and on ceremonies: each with what succeeds without it. */
import type { Mutation } from "./list.ts";

const TRUST = "test/protocol/keyTrust.test.ts";
const CONTRIBUTOR = "test/contributor/keyTrust.test.ts";

const HASHES = "test/threats/fiatShamir.test.ts";
const TRANSCRIPT = "runner/protocol/transcript.ts";

/** A hash that misses an input. */
const missing = (
  name: string,
  file: string,
  find: string,
  replace: string,
  hash: string,
  attack: string,
): Mutation => ({
  name,
  attack,
  file,
  find,
  replace,
  test: HASHES,
  pattern: `every input of ${hash} counts`,
});

export const KEY_MUTATIONS: readonly Mutation[] = [
  missing(
    "io-without-module",
    TRANSCRIPT,
    "sha(TAGS.io, passSalt, u32(m), u32(tokens), X, Y)",
    "sha(TAGS.io, passSalt, u32(tokens), X, Y)",
    "ioHash",
    "answers of two modules exchanged after the fact",
  ),
  missing(
    "io-without-tokens",
    TRANSCRIPT,
    "sha(TAGS.io, passSalt, u32(m), u32(tokens), X, Y)",
    "sha(TAGS.io, passSalt, u32(m), X, Y)",
    "ioHash",
    "one run of bytes read as two different passes",
  ),
  missing(
    "head-without-past",
    TRANSCRIPT,
    "sha(TAGS.head, head, ...ioHashes)",
    "sha(TAGS.head, ...ioHashes)",
    "head",
    "passes before the last changed after the fact",
  ),
  missing(
    "fold-without-module",
    TRANSCRIPT,
    "xof(sha(TAGS.fold, head, u32(m)), tokens)",
    "xof(sha(TAGS.fold, head), tokens)",
    "fold weights",
    "one set of weights for all modules",
  ),
  missing(
    "blind-without-salt",
    TRANSCRIPT,
    "wide(TAGS.statementBlind, passSalt, head, u32(group))",
    "wide(TAGS.statementBlind, head, u32(group))",
    "statement blind",
    "guesses of the activations tested against V",
  ),
  missing(
    "knowledge-without-nonces",
    "runner/protocol/knowledge.ts",
    "    ...knowledge.flatMap(({ A, B }) => [A.T, B.T]),\n",
    "",
    "challenge of the proof of knowledge",
    "a proof of knowledge made backwards from its challenge",
  ),
  missing(
    "knowledge-without-commitments",
    "runner/protocol/knowledge.ts",
    "    ...commitments.flatMap(({ CA, CB }) => [CA, CB]),\n",
    "",
    "challenge of the proof of knowledge",
    "commitments chosen after their challenge",
  ),
  missing(
    "vk-hash-without-bases",
    "runner/protocol/key.ts",
    "        key.basesHash,\n",
    "        toHex(new Uint8Array(32)),\n",
    "vkHash",
    "a key with other bases under the pinned hash",
  ),
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
    file: "runner/contributor/loadAdapters.ts",
    find: "    refuseDevKey(pinnedTrust(vkHash), chain.chainId, acceptForgeableDevKey);\n",
    replace: "",
    test: CONTRIBUTOR,
    pattern: "neither registered nor served",
  },
  {
    name: "key-state-beside-it",
    attack: "key files that say of themselves that they came out of a ceremony",
    file: "runner/keys/verifyKey.ts",
    find: '["state", () => describeKeyTrust(pinned)]',
    replace: '["state", () => describeKeyTrust(readKeyInfo(size)!)]',
    test: "test/keys/store.test.ts",
    pattern: "whatever is written beside it",
  },
];
