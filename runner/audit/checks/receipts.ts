/** Receipts: who signed them, for which statements, and that every group was proven before they were paid. */
import { receiptDigest, signerOf, statementsHash } from "../formats/messages.ts";
import { demand } from "../problem.ts";
import type { Subject } from "../subject.ts";
import { difference } from "./compare.ts";

/** Every receipt settled was signed by the agreement's signer, for the statements given. */
export async function checkReceipts(subject: Subject): Promise<string> {
  const { opened, agreementId, domain } = subject;
  const calls = await subject.settleCalls();
  const { groups } = await subject.registered();
  for (const { call, receipt, signature, V } of calls) {
    const where = `the receipt settled in ${call.transaction.hash}`;
    demand(receipt.agreementId === agreementId, `${where} is for agreement ${receipt.agreementId}`);
    demand(receipt.passes >= 1n, `${where} covers no pass`);
    const signer = signerOf(receiptDigest(domain, receipt), signature);
    demand(
      signer === opened.signer,
      `${where} (${receipt.passes} passes, ${receipt.tokens} tokens) is signed by ${signer}, not by the agreement's signer ${opened.signer}`,
    );
    demand(BigInt(V.length) === groups, `${where} has ${V.length} statements for ${groups} groups`);
    const hash = statementsHash(V);
    demand(
      hash === receipt.statementsHash,
      `${where} is for the statements ${receipt.statementsHash}, given are ${hash}`,
    );
  }
  for (const { name, args, log } of subject.events) {
    if (name !== "ReceiptSettled") continue;
    const found = calls.find(({ receiptHash }) => receiptHash === args["receiptHash"]);
    demand(
      found !== undefined,
      `no call settles the receipt ${String(args["receiptHash"])} told of in ${log.transactionHash}`,
    );
    const { passes, tokens, head, statementsHash: hash } = found.receipt;
    const different = difference({ passes, tokens, head, statementsHash: hash }, args);
    demand(
      different === undefined,
      `the receipt signed and the one told of in ${log.transactionHash} differ: ${different}`,
    );
  }
  if (calls.length === 0) return "no receipt was settled";
  const last = calls.at(-1)!.receipt;
  return `${calls.length} settle calls; each receipt signed by ${opened.signer}; the last covers ${last.passes} passes, ${last.tokens} tokens`;
}

/** A receipt that was paid has a proof for each of its groups in the calls. */
export async function checkGroups(subject: Subject): Promise<string> {
  const { groups } = await subject.registered();
  const calls = await subject.settleCalls();
  const paid = subject.events.filter(({ name }) => name === "ReceiptSettled");
  for (const { args, log } of paid) {
    const claims = calls
      .filter(({ receiptHash }) => receiptHash === args["receiptHash"])
      .flatMap((call) => call.claims);
    const proven = new Set(claims.map(({ group }) => group));
    const missing = Array.from({ length: Number(groups) }, (_, g) => g).filter((g) => !proven.has(BigInt(g)));
    demand(
      missing.length === 0,
      `the receipt paid in ${log.transactionHash} has no proof of group ${missing.join(", ")}`,
    );
    demand(
      claims.length === proven.size,
      `a group of the receipt paid in ${log.transactionHash} was proven twice`,
    );
  }
  return paid.length === 0
    ? "no receipt was paid"
    : `${paid.length} paid receipts, each with proofs of all ${groups} groups`;
}
