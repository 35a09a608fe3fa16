/** The receipts of an agreement as bundles that can be replayed, and what the replay says of each group. */
import { deploymentDomain } from "../../../runner/chain/deploymentFile.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import { PROTOCOL_VERSION } from "../../../runner/protocol/tags.ts";
import { type Claim, type ProofBundle, stringifyMessage } from "../../../runner/wire/messages.ts";
import { failureOf, type StoredFailure } from "../failure.ts";
import { modulesOf } from "../verification/bundleFile.ts";
import type { BundleVerdict, VerificationContext } from "../verification/checkBundle.ts";
import type { AgreementFacts, ReceiptFacts, SettleCall } from "./facts.ts";

/** A module as the manifest has it. */
export interface NamedModule {
  name: string;
  group: number;
}

/** One group of a receipt, as the chain and the replay have it. */
export interface GroupStatus {
  group: number;
  /** Empty when the manifest is not at hand. */
  modules: string[];
  /** `waiting`: no proof was sent yet. `unreadable`: sent, but its calldata or key is not at hand. */
  status: "proven" | "failed" | "waiting" | "unreadable";
  failure?: StoredFailure;
  /** Milliseconds the replay took here. */
  ms: number | null;
  /** Its share of the gas of the transaction that brought it. */
  gas: bigint | null;
  txHash: Hex | null;
}

export interface ReceiptStatus {
  receiptHash: Hex;
  /** Null when no transaction shows it. */
  receipt: SettleCall["receipt"] | null;
  groups: GroupStatus[];
  /** Why the receipt as such does not hold: signer, statements, key. */
  failure?: StoredFailure;
  /** Every group is settled on chain. */
  settled: boolean;
  /** Every group was replayed and holds, and so does the receipt. */
  proven: boolean;
}

/** What a bundle of this agreement is held against. */
function contextOf(facts: AgreementFacts, modules: readonly NamedModule[]): VerificationContext {
  return {
    domain: deploymentDomain(facts),
    agreementId: facts.agreementId,
    signer: facts.opening.signer,
    vkHash: facts.registration.vkHash,
    groups: facts.registration.groups,
    modules,
  };
}

const sameStatements = (left: SettleCall, right: SettleCall): boolean =>
  stringifyMessage(left.V) === stringifyMessage(right.V);

const contradictionOf = ({ receiptHash }: ReceiptFacts, message: string): DeltapayError =>
  new DeltapayError("audit/contradiction", message, {
    field: receiptHash,
    hint: "this node's answers contradict each other: ask another",
  });

/** What the escrow told when it paid is what the buyer signed: the money follows from it. */
function checkTold(facts: ReceiptFacts, signed: SettleCall["receipt"]): void {
  if (facts.settled === null) return;
  for (const field of ["passes", "tokens", "head", "statementsHash"] as const)
    if (facts.settled[field] !== signed[field])
      throw contradictionOf(
        facts,
        `the event that it is settled has ${field} ${facts.settled[field]}, signed are ${signed[field]}`,
      );
}

/** A settled receipt has a proof of every group behind it. */
function checkWhole(facts: ReceiptFacts, groups: readonly GroupStatus[]): void {
  const missing = groups.filter(({ status }) => status === "waiting").map(({ group }) => group);
  if (facts.settled !== null && missing.length > 0)
    throw contradictionOf(facts, `it is settled, and no event shows a proof of group ${missing.join(", ")}`);
}

/**
 * The calls of a receipt as one bundle; null when none can be read.
 * @throws DeltapayError `audit/contradiction` when they differ in what they have in common, or from the escrow's events
 */
function bundleOf(facts: AgreementFacts, receipt: ReceiptFacts): ProofBundle | null {
  const contradiction = (message: string): DeltapayError => contradictionOf(receipt, message);
  const claims = new Map<number, Claim>();
  let first: SettleCall | undefined;
  for (const { call, groups } of receipt.submissions) {
    if (call === null) continue;
    first ??= call;
    if (!sameStatements(first, call)) throw contradiction("two calls of a receipt have different statements");
    const sent = call.claims.map(({ group }) => group);
    if (sent.join() !== [...groups].sort((a, b) => a - b).join())
      throw contradiction(
        `the calldata proves groups ${sent.join(", ")}, the event names ${groups.join(", ")}`,
      );
    for (const claim of call.claims) claims.set(claim.group, claim);
  }
  if (first === undefined) return null;
  return {
    protocol: PROTOCOL_VERSION,
    chainId: BigInt(facts.chainId),
    escrow: facts.escrow,
    agreementId: facts.agreementId,
    vkHash: facts.registration.vkHash,
    receipt: first.receipt,
    signature: first.signature,
    V: first.V,
    claims: [...claims.values()].sort((a, b) => a.group - b.group),
  };
}

/** What is known of every group before anything is replayed. */
function groupsOnChain(
  facts: AgreementFacts,
  receipt: ReceiptFacts,
  modules: readonly NamedModule[],
): GroupStatus[] {
  const groups: GroupStatus[] = Array.from({ length: facts.registration.groups }, (_, group) => ({
    group,
    modules: modulesOf(modules, group),
    status: "waiting",
    ms: null,
    gas: null,
    txHash: null,
  }));
  for (const submission of receipt.submissions)
    for (const group of submission.groups) {
      const status = groups[group];
      if (status === undefined) continue;
      status.status = "unreadable";
      status.gas = submission.at.gasUsed / BigInt(submission.groups.length);
      status.txHash = submission.at.txHash;
      if (submission.problem) status.failure = submission.problem;
    }
  return groups;
}

/**
 * A receipt after its replay.
 * @param replay checks a bundle group by group, as `verifyBundle` does
 */
export async function assessReceipt(
  facts: AgreementFacts,
  receipt: ReceiptFacts,
  modules: readonly NamedModule[],
  replay: (bundle: ProofBundle, context: VerificationContext) => Promise<BundleVerdict>,
): Promise<ReceiptStatus> {
  const groups = groupsOnChain(facts, receipt, modules);
  const status: ReceiptStatus = {
    receiptHash: receipt.receiptHash,
    receipt: null,
    groups,
    settled: receipt.settled !== null,
    proven: false,
  };
  // A call through another contract cannot be read; any other problem is an answer that contradicts the event.
  const lie = receipt.submissions.find(({ problem }) => problem && problem.code !== "audit/indirect-call");
  if (lie?.problem) return { ...status, failure: lie.problem };
  try {
    checkWhole(receipt, groups);
    const bundle = bundleOf(facts, receipt);
    if (bundle === null) return status;
    status.receipt = bundle.receipt;
    checkTold(receipt, bundle.receipt);
    const verdict = await replay(bundle, contextOf(facts, modules));
    for (const found of verdict.groups) {
      const group = groups[found.group]!;
      if (found.status === "missing") continue;
      group.status = found.status;
      group.ms = found.ms;
      if (found.failure) group.failure = found.failure;
    }
  } catch (error) {
    status.failure = failureOf(error);
  }
  status.proven = status.failure === undefined && groups.every((group) => group.status === "proven");
  return status;
}
