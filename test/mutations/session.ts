/** Checks on sessions, receipts and proofs. */
import type { Mutation } from "./list.ts";

const ATTACKS = "test/demo/attacks.session.test.ts";

/** Guarded by an attack's own test. */
const byAttack = (attack: string, mutation: Omit<Mutation, "attack" | "test" | "pattern">): Mutation => ({
  ...mutation,
  attack,
  test: ATTACKS,
  pattern: `'${attack}'`,
});

const RECEIPT_CHECK = "runner/contributor/receiptCheck.ts";
const ANSWERS = "runner/contributor/session/answerPasses.ts";
const AUTHENTICATION = "runner/contributor/authentication.ts";
const ENCODING = "runner/protocol/encoding.ts";
const PROVE = "runner/prover/prove.ts";

const RECEIPTS: readonly Mutation[] = [
  byAttack("weights-swapped", {
    name: "proof-unverified",
    file: PROVE,
    find: "if (!(await verifyProof(this.#key.commitKey, V, proof)))",
    replace: "if (false)",
  }),
  {
    name: "receipt-check-squared",
    attack:
      "receipts for a token each, that cost an adapter of many groups seconds and everybody else's time",
    file: RECEIPT_CHECK,
    find: "state, group, delta);",
    replace: "state, group);",
    test: "test/contributor/receipts.test.ts",
    pattern: "not as their square",
  },
  {
    name: "another-adapters-proof",
    attack: "other-adapters-proof",
    file: "contracts/LoraEscrow.sol",
    find: "if (!ClaimBatch.verify(adapter.verifier, seed, V, claims)) {",
    replace: "if (false) {",
    test: "contracts/LoraEscrowSettle.t.sol",
    pattern: "test_refusesProofsOfAnotherKey",
  },
  byAttack("replayed-proof", {
    name: "head-without-agreement",
    file: "runner/protocol/transcript.ts",
    find: "sha(TAGS.transcript, agreementId)",
    replace: "sha(TAGS.transcript)",
  }),
  byAttack("forged-receipt", {
    name: "receipt-signer-unchecked",
    file: RECEIPT_CHECK,
    find: '  await checkSignature(domain, "Receipt", receipt, signature, agreement.signer);\n',
    replace: "",
  }),
  byAttack("inflated-tokens", {
    name: "receipt-tokens-unchecked",
    file: RECEIPT_CHECK,
    find: '  compare("tokens", BigInt(state.tokens));\n',
    replace: "",
  }),
  byAttack("other-head", {
    name: "receipt-head-unchecked",
    file: RECEIPT_CHECK,
    find: '  compare("head", toHex(state.head));\n',
    replace: "",
  }),
  {
    name: "old-receipt-ends",
    attack: "old-receipt",
    file: "contracts/LoraEscrow.sol",
    find: "        uint256 credited = Math.saturatingSub(owed, paid);\n",
    replace:
      "        uint256 credited = Math.saturatingSub(owed, paid);\n        agreement.status = Status.Released;\n",
    test: "contracts/LoraEscrowSettle.t.sol",
    pattern: "test_olderReceiptPaysNothingAndEndsNothing",
  },
  byAttack("two-receipts", {
    name: "heads-uncompared",
    file: "runner/buyer/session/compareMemories.ts",
    find: "if (view.passes === own.passes && view.head !== toHex(own.head))",
    replace: "if (false)",
  }),
  {
    name: "receipt-signed-twice",
    attack: "two-receipts",
    file: "runner/buyer/store/store.ts",
    find: "last === undefined || last.receipt.passes < passes,",
    replace: "true,",
    test: "test/buyer/remoteAdapter.test.ts",
    pattern: "two different receipts for the same passes",
  },
];

const PASSES: readonly Mutation[] = [
  byAttack("receipts-denied", {
    name: "unpaid-unlimited",
    file: "runner/contributor/admission.ts",
    find: "if (unpaid > offer.maxUnpaidTokens)",
    replace: "if (false)",
  }),
  byAttack("repeated-pass", {
    name: "repeat-with-other-activations",
    file: ANSWERS,
    find: "if (answered?.X.some((x, i) => x !== request.X[i]))",
    replace: "if (false)",
  }),
  byAttack("repeated-pass", {
    name: "repeat-with-other-salt",
    file: ANSWERS,
    find: "if (!equalBytes(started.passSalt, request.passSalt))",
    replace: "if (false)",
  }),
  byAttack("repeated-pass", {
    name: "salt-in-two-passes",
    file: ANSWERS,
    find: "if (live.passes.saltUsed(agreementId, request.passSalt))",
    replace: "if (false)",
  }),
  byAttack("dropped-pass", {
    name: "pass-dropped",
    file: ANSWERS,
    find: "if (number !== next)",
    replace: "if (false)",
  }),
  {
    name: "close-without-effect",
    attack: "never-serves",
    file: "contracts/LoraEscrow.sol",
    find: "uint64(Math.min(agreement.deadline, block.timestamp + agreement.closeWindow))",
    replace: "agreement.deadline",
    test: "contracts/LoraEscrowMoney.t.sol",
    pattern: "test_closesBeforeTheDeadline",
  },
];

const LEAKS: readonly Mutation[] = [
  byAttack("witness-in-bundle", {
    name: "witness-in-events",
    file: "runner/contributor/settlement.ts",
    find: "done: proven.size, total, proveMs });",
    replace: "done: proven.size, total, proveMs, ...witness });",
  }),
  byAttack("witness-in-bundle", {
    name: "openings-with-the-proof",
    file: PROVE,
    find: "const { proof } = await groth16.prove(this.#key.zkey, memory);\n      return proofFromSnarkjs(proof);",
    replace:
      "const { proof, publicSignals } = await groth16.prove(this.#key.zkey, memory);\n      return { ...proofFromSnarkjs(proof), publicSignals };",
  }),
  byAttack("guessed-activations", {
    name: "statement-unblinded",
    file: "runner/protocol/transcript.ts",
    find: "return wide(TAGS.statementBlind, passSalt, head, u32(group));",
    replace: "return 0n;",
  }),
];

const MALFORMED: readonly Mutation[] = [
  byAttack("bad-activations", {
    name: "activations-not-finite",
    file: "runner/protocol/quantise.ts",
    find: "    if (!Number.isFinite(max)) refuseNotFinite(x, t, dIn);\n",
    replace: "",
  }),
  byAttack("bad-activations", {
    name: "activation-minimum",
    file: ENCODING,
    find: "const value = view.getInt16(2 * i, true);\n    if (value < -MAX_ACTIVATION)",
    replace: "const value = view.getInt16(2 * i, true);\n    if (false)",
  }),
  byAttack("bad-activations", {
    name: "pass-without-tokens",
    file: "runner/wire/passRequest.ts",
    find: "if (tokens < 1 || tokens > LIMITS.passTokens)",
    replace: "if (false)",
  }),
  byAttack("bad-activations", {
    name: "tokens-change-in-a-pass",
    file: ANSWERS,
    find: "if (started.tokens !== request.tokens)",
    replace: "if (false)",
  }),
  byAttack("bad-activations", {
    name: "body-of-any-size",
    file: "runner/contributor/server.ts",
    find: "if (Number(length) > limit)",
    replace: "if (false)",
  }),
  byAttack("bad-answers", {
    name: "answers-unbounded",
    file: ENCODING,
    find: "if (!(Math.abs(value) <= bound))",
    replace: "if (false)",
  }),
  byAttack("wrong-scales", {
    name: "scales-unchecked",
    file: "runner/buyer/session/scales.ts",
    find: "if (!equalBytes(scalesHash(salt, m, b), fromHex(expected, 32)))",
    replace: "if (false)",
  }),
  byAttack("wrong-scales", {
    name: "scales-asked-once",
    file: "runner/buyer/session/buyerSession.ts",
    find: "    const view = await this.#session.connect();\n",
    replace: "    const view = await this.#session.connect();\n    this.#view = view;\n",
  }),
];

const STRANGERS: readonly Mutation[] = [
  byAttack("stolen-session", {
    name: "session-signer-unchecked",
    file: "runner/contributor/session/openSession.ts",
    find: '    await checkSignature(this.#domain, "Session", proof, signature, party.signer);\n',
    replace: "",
  }),
  byAttack("stolen-session", {
    name: "nonce-used-again",
    file: AUTHENTICATION,
    find: "if (this.#used.has(serverNonce)) fail(",
    replace: "if (false) fail(",
  }),
  byAttack("stolen-session", {
    name: "nonce-of-another-agreement",
    file: AUTHENTICATION,
    find: "if (!timingSafeEqual(nonce.subarray(16), mac)) fail(",
    replace: "if (false) fail(",
  }),
  byAttack("stolen-session", {
    name: "token-half-checked",
    file: AUTHENTICATION,
    find: "      !timingSafeEqual(session.hash, presented) ||\n",
    replace: "",
  }),
];

export const SESSION_MUTATIONS: readonly Mutation[] = [
  ...RECEIPTS,
  ...PASSES,
  ...LEAKS,
  ...MALFORMED,
  ...STRANGERS,
];
