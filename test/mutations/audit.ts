/** Checks of the audit: without each, a chain or a file tampered with goes unnamed. */
import type { Mutation } from "./list.ts";

type Taken = Omit<Mutation, "test" | "pattern" | "name"> & { tampering: string };

const named = ({ tampering, ...mutation }: Taken): Mutation => ({
  ...mutation,
  name: `audit-${tampering}`,
  test: "test/audit/tampered.test.ts",
  pattern: `'${tampering}' is named`,
});

export const AUDIT_MUTATIONS: readonly Mutation[] = [
  {
    tampering: "swapped-verifier",
    attack: "a verifier exchanged after the settlement",
    file: "runner/audit/checks/code.ts",
    find: "demand(hash === expected,",
    replace: "demand(true,",
  },
  {
    tampering: "foreign-escrow",
    attack: "an agreement in an escrow of the contributor's own",
    file: "runner/audit/checks/code.ts",
    find: "found === contract.address,",
    replace: "true,",
  },
  {
    tampering: "true-verifier",
    attack: "an adapter with a verifier that accepts everything",
    file: "runner/audit/checks/code.ts",
    find: "demand(released !== undefined,",
    replace: 'if (released === undefined) return ""; demand(true,',
  },
  {
    tampering: "dev-key",
    attack: "a forgeable key where money has value",
    file: "runner/audit/checks/code.ts",
    find: "    refuseDevKey(pinned, subject.node.chainId);\n",
    replace: "",
  },
  {
    tampering: "altered-transaction",
    attack: "a node that alters transactions",
    file: "runner/audit/chain/transactions.ts",
    find: "if (signed.hash !== hash)",
    replace: "if (false)",
  },
  {
    tampering: "altered-receipt",
    attack: "a receipt for more tokens than were signed for",
    file: "runner/audit/checks/receipts.ts",
    find: "signer === opened.signer,",
    replace: "true,",
  },
  {
    tampering: "missing-proof",
    attack: "a receipt paid without all proofs",
    file: "runner/audit/checks/receipts.ts",
    find: "missing.length === 0,",
    replace: "true,",
  },
  {
    tampering: "foreign-proof",
    attack: "a proof of another statement",
    file: "runner/audit/checks/proofs.ts",
    find: "demand(\n        holds,",
    replace: "demand(\n        true,",
  },
  {
    tampering: "altered-offer",
    attack: "terms the contributor did not sign",
    file: "runner/audit/checks/agreement.ts",
    find: "signer === contributor,",
    replace: "true,",
  },
  {
    tampering: "wrong-registration",
    attack: "another manifest passed off as the registered one",
    file: "runner/audit/checks/agreement.ts",
    find: "computed === told.adapterId,",
    replace: "true,",
  },
  {
    tampering: "wrong-credit",
    attack: "more credited than was due",
    file: "runner/audit/checks/money.ts",
    find: "args[field] === undefined || args[field] === found.args[field],",
    replace: "true,",
  },
  {
    tampering: "wrong-balance",
    attack: "credit from nowhere",
    file: "runner/audit/checks/money.ts",
    find: "demand(credit === due,",
    replace: "demand(true,",
  },
  {
    tampering: "forged-event",
    attack: "an event of another contract",
    file: "runner/audit/chain/history.ts",
    find: "if (log.address !== registry && log.address !== escrow) return undefined;",
    replace: "",
  },
  {
    tampering: "settled-late",
    attack: "a settlement the contracts would have refused",
    file: "runner/audit/replay/network.ts",
    find: 'await request("evm_setNextBlockTimestamp"',
    replace: 'void ("evm_setNextBlockTimestamp"',
  },
  {
    tampering: "other-weights",
    attack: "answers proven with other weights than were registered",
    file: "runner/audit/checks/session.ts",
    find: "x === V[group]?.[0] && y === V[group]?.[1],",
    replace: "true,",
  },
  {
    tampering: "altered-transcript",
    attack: "a transcript that is not the one signed",
    file: "runner/audit/checks/transcript.ts",
    find: "if (found !== receipt.head)",
    replace: "if (false)",
  },
  {
    tampering: "answer-out-of-range",
    attack: "answers beyond any honest one",
    file: "runner/audit/formats/passFile.ts",
    find: "if (Math.abs(Y[i]!) > bound)",
    replace: "if (false)",
  },
  {
    tampering: "other-manifest",
    attack: "another manifest than was registered",
    file: "runner/audit/checks/weights.ts",
    find: "demand(hash === manifestHash,",
    replace: "demand(true,",
  },
  {
    tampering: "wrong-commitments",
    attack: "other commitments than the manifest names",
    file: "runner/audit/checks/weights.ts",
    find: "hash === commitments.sha256 &&",
    replace: "",
  },
  {
    tampering: "unproven-commitments",
    attack: "commitments nobody has opened",
    file: "runner/audit/formats/commitments.ts",
    find: "demand(combine(own, z).equals(right),",
    replace: "demand(true,",
  },
].map(named);
