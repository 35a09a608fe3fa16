/**
 * What must be on disk before the other side sees it. Each is found by killing real processes, so these are not part of
 * `npm test`: node scripts/test-mutations.ts --kind kill
 */
import type { Mutation } from "./list.ts";

const KILLED: Pick<Mutation, "test" | "pattern"> = {
  test: "test/kill/kill.test.ts",
  pattern: "killed just after",
};

export const KILL_MUTATIONS: readonly Mutation[] = [
  {
    ...KILLED,
    name: "receipt-sent-before-kept",
    attack: "a buyer who forgets what it signed signs another receipt for the same passes",
    file: "runner/buyer/session/receipts.ts",
    find: "    store.addReceipt(receipt, await signReceipt(domain, signer, receipt), encodeState(state));\n",
    replace: `    const signature = await signReceipt(domain, signer, receipt);
    setTimeout(() => store.addReceipt(receipt, signature, encodeState(state)), 500);
    return { receipt, signature, state: encodeState(state), accepted: false };\n`,
  },
  {
    ...KILLED,
    name: "pass-asked-before-kept",
    attack: "a buyer who forgets salt and activations of a pass that was answered cannot go on with it",
    file: "runner/buyer/session/passUnderWay.ts",
    find: "      this.#store.addInput(this.#agreementId, pass, fresh, X);\n",
    replace: "      setTimeout(() => this.#store.addInput(this.#agreementId, pass, fresh, X), 500);\n",
  },
  {
    ...KILLED,
    name: "answer-sent-before-kept",
    attack: "a contributor who forgets what it answered answers once more, and is paid for neither",
    file: "runner/contributor/session/answerPasses.ts",
    find: "    await this.#commits.run(() => {\n",
    replace: `    const later = (work: () => void) => void setTimeout(() => this.#commits.run(work), 500);
    later(() => {\n`,
  },
  {
    ...KILLED,
    name: "receipt-taken-before-kept",
    attack: "a contributor who forgets a receipt it has confirmed is not paid for it",
    file: "runner/contributor/session/acceptReceipts.ts",
    find: "      sessions.receipts.add({ receipt, signature, statements }, encodeState(state));\n",
    replace:
      "      setTimeout(() => sessions.receipts.add({ receipt, signature, statements }, encodeState(state)), 500);\n",
  },
  {
    ...KILLED,
    name: "transaction-sent-before-kept",
    attack: "a settlement that was sent is forgotten: it can neither be found nor replaced",
    file: "runner/contributor/settlement.ts",
    find: "        this.#proofs.addTransaction(agreementId, receipt.passes, sent);\n",
    replace:
      "        setTimeout(() => this.#proofs.addTransaction(agreementId, receipt.passes, sent), 5000);\n",
  },
];
