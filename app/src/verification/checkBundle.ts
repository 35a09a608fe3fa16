/**
 * What the escrow will ask of a proof bundle, asked before anything is sent: chain, agreement, key, signer, statements and
 * every proof by itself, so that the group at fault has a name.
 */
import { type Hex, wordsBytes } from "../../../runner/protocol/bytes.ts";
import { DeltapayError, ensure } from "../../../runner/protocol/errors.ts";
import {
  type Address,
  checkSignature,
  type Domain,
  statementsHash,
} from "../../../runner/protocol/typedData.ts";
import type { Claim, ProofBundle } from "../../../runner/wire/messages.ts";
import { failureOf, type StoredFailure } from "../failure.ts";
import { modulesOf } from "./bundleFile.ts";
import { type PairingKey, pairingKey, proofHolds } from "./pairing.ts";
import { type ReleaseKey, requireReleaseKey } from "./releaseKey.ts";

/** What a bundle is held against: the chain's own facts, and names of modules where the manifest is known. */
export interface VerificationContext {
  domain: Domain;
  agreementId: Hex;
  /** Whose signature makes a receipt of the agreement. */
  signer: Address;
  /** Of the key the adapter's verifier has. */
  vkHash: Hex;
  /** Groups of the adapter. */
  groups: number;
  /** In manifest order; empty when the manifest is not at hand. */
  modules: readonly { name: string; group: number }[];
}

/** One group's proof. */
export interface GroupVerdict {
  group: number;
  /** Names of the modules the proof covers. */
  modules: string[];
  /** `missing`: the bundle has no claim for the group. */
  status: "proven" | "failed" | "missing";
  /** Why not proven. */
  failure?: StoredFailure;
  /** Milliseconds the check took. */
  ms: number;
}

/** Hears of each group as it is done. */
export type OnGroup = (verdict: GroupVerdict, done: number, total: number) => void;

export interface BundleVerdict {
  bundle: ProofBundle;
  /** By ascending group; all groups of the adapter. */
  groups: GroupVerdict[];
  /** Every group is proven. */
  complete: boolean;
}

/** The same address or hash, whatever the spelling. */
const same = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase();

function checkFits(bundle: ProofBundle, context: VerificationContext): void {
  const { domain, agreementId } = context;
  const other = (what: string, found: unknown, expected: unknown): string =>
    `the bundle is of ${what} ${found}, expected ${expected}`;
  ensure(
    bundle.chainId === domain.chainId,
    "bundle/other-chain",
    other("chain", bundle.chainId, domain.chainId),
    {
      field: "bundle.chainId",
    },
  );
  ensure(
    same(bundle.escrow, domain.escrow),
    "bundle/other-escrow",
    other("escrow", bundle.escrow, domain.escrow),
    {
      field: "bundle.escrow",
    },
  );
  for (const [field, found] of [
    ["bundle.agreementId", bundle.agreementId],
    ["bundle.receipt.agreementId", bundle.receipt.agreementId],
  ] as const)
    ensure(same(found, agreementId), "bundle/other-agreement", other("agreement", found, agreementId), {
      field,
    });
  ensure(
    same(bundle.vkHash, context.vkHash),
    "bundle/other-key",
    other("key", bundle.vkHash, context.vkHash),
    {
      field: "bundle.vkHash",
      hint: "the adapter was registered with the verifier of another key",
    },
  );
}

/** The receipt covers something, its statements are those signed, and the agreement's signer signed it. */
async function checkReceipt(bundle: ProofBundle, context: VerificationContext): Promise<void> {
  const { receipt, V } = bundle;
  ensure(receipt.passes >= 1n, "bundle/empty-receipt", "the receipt covers no pass", {
    field: "bundle.receipt.passes",
  });
  ensure(
    V.length === context.groups,
    "bundle/wrong-statement-count",
    `${V.length} statements, the adapter has ${context.groups} groups`,
    { field: "bundle.V" },
  );
  const hash = statementsHash(V.map(wordsBytes));
  ensure(
    same(hash, receipt.statementsHash),
    "bundle/wrong-statements-hash",
    `V hashes to ${hash}, the buyer signed ${receipt.statementsHash}`,
    { field: "bundle.V", hint: "a statement was changed after the receipt was signed" },
  );
  await checkSignature(context.domain, "Receipt", receipt, bundle.signature, context.signer);
}

function checkGroups(claims: readonly Claim[], groups: number): void {
  claims.forEach(({ group }, position) => {
    const field = `bundle.claims.${position}.group`;
    ensure(group < groups, "bundle/group-out-of-range", `group ${group} of ${groups}`, { field });
    ensure(
      position === 0 || claims[position - 1]!.group < group,
      "bundle/groups-not-increasing",
      `group ${group} comes after ${claims[position - 1]?.group}`,
      { field },
    );
  });
}

/** One claim against its statement. Says why when it fails. */
function checkClaim(
  key: PairingKey,
  V: readonly [bigint, bigint],
  claim: Claim,
): Pick<GroupVerdict, "status" | "failure"> {
  try {
    if (proofHolds(key, V, claim)) return { status: "proven" };
    throw new DeltapayError("proof/does-not-hold", "the proof does not prove the statement that was signed", {
      field: `claims[group ${claim.group}]`,
      hint: "the proof, or the statement beside it, was changed or belongs to another receipt: prove again",
    });
  } catch (error) {
    return { status: "failed", failure: failureOf(error) };
  }
}

/**
 * Checks a bundle whole. Groups that fail are in the verdict; what makes the bundle useless as such is thrown.
 * @throws DeltapayError `bundle/...`, `signature/...`, `key/...`
 */
export async function checkBundle(
  bundle: ProofBundle,
  context: VerificationContext,
  release: readonly ReleaseKey[],
  onGroup: OnGroup = () => {},
): Promise<BundleVerdict> {
  checkFits(bundle, context);
  const { vk } = requireReleaseKey(release, bundle.vkHash);
  checkGroups(bundle.claims, context.groups);
  await checkReceipt(bundle, context);
  const key = pairingKey(vk);
  const claims = new Map(bundle.claims.map((claim) => [claim.group, claim]));
  const groups: GroupVerdict[] = [];
  for (let group = 0; group < context.groups; group++) {
    const started = performance.now();
    const claim = claims.get(group);
    const found: Pick<GroupVerdict, "status" | "failure"> =
      claim === undefined ? { status: "missing" } : checkClaim(key, bundle.V[group]!, claim);
    const modules = modulesOf(context.modules, group);
    const verdict = { group, modules, ...found, ms: performance.now() - started };
    groups.push(verdict);
    onGroup(verdict, group + 1, context.groups);
  }
  return { bundle, groups, complete: groups.every(({ status }) => status === "proven") };
}
