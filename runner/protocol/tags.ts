/** Domain separation tags, one per hash (protocol 8). UTF-8, zero-padded to 32 bytes; the Solidity side writes the same text as bytes32. */

export const PROTOCOL_VERSION = 1;

/** First 32 bytes of the protocol's files. */
export const FILE_MAGICS = {
  commitKey: "deltapay/1/commit-key",
  commitments: "deltapay/1/commitments",
  passTranscript: "deltapay/1/pass-transcript",
  opening: "deltapay/1/opening",
} as const;

export const TAGS = {
  // keccak256(abi.encode(tag, ...)): recomputed by contracts
  verifyingKey: "deltapay/1/verifying-key",
  adapter: "deltapay/1/adapter",
  agreement: "deltapay/1/agreement",
  statements: "deltapay/1/statements",
  batch: "deltapay/1/batch",
  // SHA-256(tag, fixed-width fields)
  transcript: "deltapay/1/transcript",
  io: "deltapay/1/io",
  head: "deltapay/1/head",
  fold: "deltapay/1/fold",
  delta: "deltapay/1/delta",
  scales: "deltapay/1/scales",
  knowledge: "deltapay/1/knowledge",
  // SHAKE256(tag, fixed-width fields): 64 bytes mod p
  commitBlind: "deltapay/1/commit-blind",
  statementBlind: "deltapay/1/statement-blind",
} as const;
