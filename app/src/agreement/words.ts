/** What a certificate says, in words. */
import type { Certificate } from "./certificate.ts";
import type { CheckName } from "./checks.ts";

/** What each check asks. */
export const CHECK_WORDS: Record<CheckName, string> = {
  contracts: "Registry and escrow are this release's",
  verifier: "The verifier is this release's",
  key: "Who made the key is known",
  registration: "The adapter is what was registered",
  opening: "The agreement is what was opened",
  offer: "The contributor signed the terms",
  money: "The sums are right",
  receipts: "Every proof holds",
};

const plural = (count: number | bigint, one: string): string =>
  `${count.toLocaleString()} ${one}${BigInt(count) === 1n ? "" : "s"}`;

/** The newest receipt that is settled whole, if any. */
function newestSettled({ facts }: Pick<Certificate, "facts">) {
  return facts.receipts
    .flatMap(({ settled }) => (settled === null ? [] : [settled]))
    .reduce<NonNullable<Certificate["facts"]["receipts"][number]["settled"]> | undefined>(
      (best, settled) => (best === undefined || settled.tokens > best.tokens ? settled : best),
      undefined,
    );
}

/** One sentence for all of it. */
export function headline(certificate: Certificate): string {
  const { verdict, facts, receipts, checks } = certificate;
  const failed = checks.filter(({ result }) => result === "failed");
  if (verdict === "failed")
    return failed.length === 1
      ? `Do not rely on this agreement: ${failed[0]!.detail}`
      : `Do not rely on this agreement: ${failed.length} checks fail`;
  if (verdict === "incomplete") return "Nothing is wrong, but not everything could be checked";
  const settled = newestSettled(certificate);
  if (settled !== undefined) return `${plural(settled.tokens, "token")} proven: every proof on chain holds`;
  const begun = receipts.some(({ groups }) => groups.some(({ status }) => status === "proven"));
  if (facts.returned !== null)
    return facts.returned.how === "refunded"
      ? "Nothing was proven in time, and the buyer has its money back"
      : "The contributor gave the money back without a proof";
  if (begun) return "Some proofs are on chain and hold; nothing is paid until all are";
  if (facts.head.time > facts.now.deadline)
    return "Nothing was proven in time: the buyer can have its money back";
  return facts.now.status === "closing"
    ? "Closing: what is proven until the deadline is still paid"
    : "Open: nothing is proven yet";
}

/** What a person may conclude, and what not. */
export const SHOWS = [
  "Every statement the buyer's key signed in a settled receipt was proven, by a proof checked here against this release's key. A buyer forms its statements from the registered commitments, what it sent and what it got: proven means that all answers up to the receipt came from the one adapter registered before the session.",
  "The receipts are signed by the key the buyer named when it opened the agreement, and the terms by the contributor.",
  "The money is what the terms say: tokens at the price, never above what was paid in.",
] as const;

export const SHOWS_NOT = [
  "That the buyer formed its statements rightly: they protect the buyer, and only who has the session's files can form them again (deltapay audit). What was sent and answered is on no chain.",
  "That the adapter is any good, or that the buyer's own run of the base model was right.",
  "Anything about the opening fee, which is paid without proof, or about tokens served after the last receipt.",
  "That this node told the truth about what is on the chain. Ask another node when much depends on it.",
  "Anything at all if somebody knows the key's secrets: then proofs can be forged.",
] as const;
