/** What the page checks of a bundle, a certificate and a session file. */
import type { Mutation } from "./list.ts";

const inTest =
  (test: string) =>
  (mutation: Omit<Mutation, "test">): Mutation => ({ ...mutation, test });
const bundle = inTest("test/app/verification.test.ts");
const certificate = inTest("test/app/history.test.ts");
const session = inTest("test/app/sessionFile.test.ts");

const CHECK_BUNDLE = "app/src/verification/checkBundle.ts";
const CHECKS = "app/src/agreement/checks.ts";

export const CERTIFICATE_MUTATIONS: readonly Mutation[] = [
  bundle({
    name: "page-proof-unchecked",
    attack: "a bundle with the proof of another group is sent, and its gas is lost",
    file: CHECK_BUNDLE,
    find: "if (proofHolds(key, V, claim)) return",
    replace: "if (key !== undefined) return",
    pattern: "the proof of another group fails",
  }),
  bundle({
    name: "page-signer-unchecked",
    attack: "a receipt raised by whoever handed over the bundle",
    file: CHECK_BUNDLE,
    find: 'await checkSignature(context.domain, "Receipt", receipt, bundle.signature, context.signer);',
    replace: "",
    pattern: "for more tokens than were signed",
  }),
  bundle({
    name: "page-statements-unchecked",
    attack: "proofs of statements the buyer never signed are shown as proven",
    file: CHECK_BUNDLE,
    find: "same(hash, receipt.statementsHash),",
    replace: "true,",
    pattern: "a statement the buyer did not sign",
  }),
  bundle({
    name: "page-other-agreement",
    attack: "the bundle of another agreement is taken for this one's",
    file: CHECK_BUNDLE,
    find: "ensure(same(found, agreementId),",
    replace: "ensure(true,",
    pattern: "a bundle of something else",
  }),
  bundle({
    name: "page-group-twice",
    attack: "one proof stands for two groups",
    file: CHECK_BUNDLE,
    find: "position === 0 || claims[position - 1]!.group < group,",
    replace: "true,",
    pattern: "groups twice, out of order",
  }),
  bundle({
    name: "page-key-unhashed",
    attack: "a verifying key exchanged in the page's own files",
    file: "app/src/verification/releaseKey.ts",
    find: "ensure(verifyingKeyHash(vk) === key.vkHash,",
    replace: "ensure(true,",
    pattern: "a damaged one is not used",
  }),
  certificate({
    name: "certificate-registration-unhashed",
    attack: "a node shows another manifest under an adapter's id",
    file: CHECKS,
    find: "found === registration.adapterId,",
    replace: "true,",
    pattern: "each fact a node could falsify",
  }),
  certificate({
    name: "certificate-verifier-by-its-word",
    attack: "a verifier that names the release's key and accepts anything",
    file: CHECKS,
    find: "const key = keyOfVerifier(keys, verifier, verifierCodeHash);",
    replace: "const key = keys.find((known) => known.vkHash === vkHash);",
    pattern: "a verifier that accepts anything",
  }),
  certificate({
    name: "certificate-sums-unchecked",
    attack: "a credit that does not follow from the tokens",
    file: "app/src/agreement/money.ts",
    find: "if (credited !== more)",
    replace: "if (false)",
    pattern: "each fact a node could falsify",
  }),
  certificate({
    name: "certificate-other-receipt",
    attack: "calldata of another receipt than the escrow's event names",
    file: "app/src/agreement/settleCall.ts",
    find: "digest === receiptHash,",
    replace: "true,",
    pattern: "calldata of another receipt",
  }),
  certificate({
    name: "certificate-told-tokens",
    attack: "a node that says more tokens were paid for than were proven",
    file: "app/src/agreement/receipts.ts",
    find: "    checkTold(receipt, bundle.receipt);\n",
    replace: "",
    pattern: "each fact a node could falsify",
  }),
  certificate({
    name: "certificate-settled-unproven",
    attack: "a node that keeps the proofs of a settled receipt quiet",
    file: "app/src/agreement/receipts.ts",
    find: "    checkWhole(receipt, groups);\n",
    replace: "",
    pattern: "each fact a node could falsify",
  }),
  certificate({
    name: "certificate-stored-terms",
    attack: "a node that has the money counted in another token",
    file: CHECKS,
    find: "other === undefined,",
    replace: "true,",
    pattern: "each fact a node could falsify",
  }),
  certificate({
    name: "certificate-hidden-return",
    attack: "a node that keeps a refund quiet",
    file: "app/src/agreement/money.ts",
    find: "if (ended !== (returned?.how ?? null))",
    replace: "if (false)",
    pattern: "each fact a node could falsify",
  }),
  session({
    name: "session-file-chooses-memory",
    attack: "a session file that takes all memory to unlock",
    file: "runner/wire/sessionFile.ts",
    find: "N: z.literal(KDF.N),",
    replace: "N: z.number(),",
    pattern: "does not open",
  }),
  session({
    name: "session-key-unpinned",
    attack: "a witness generator that leaks, served by another than the release",
    file: "app/src/verification/proveSession.ts",
    find: 'ensure(found === hash, "key/not-pinned",',
    replace: 'ensure(true, "key/not-pinned",',
    pattern: "a key that is not the release's",
  }),
  inTest("test/web/keys.test.ts")({
    name: "key-path-loose",
    attack: "paths that only look like a key's reach the file system",
    file: "runner/web/keys.ts",
    find: "String(known) === size",
    replace: "known === Number(size)",
    pattern: "no other file is reached",
  }),
];
