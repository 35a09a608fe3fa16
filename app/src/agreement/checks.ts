/** What the chain's facts are held against: the protocol's own hashes, signatures, this release, and arithmetic. */
import type { Deployment } from "../../../runner/chain/deploymentFile.ts";
import { deploymentDomain } from "../../../runner/chain/deploymentFile.ts";
import { describeKeyTrust, isForgeable, refuseDevKey } from "../../../runner/protocol/keyTrust.ts";
import {
  type Address,
  adapterId,
  agreementId,
  checkSignature,
  offerHash,
} from "../../../runner/protocol/typedData.ts";
import { failureOf } from "../failure.ts";
import { keyOfVerifier, type ReleaseKey } from "../verification/releaseKey.ts";
import type { AgreementFacts } from "./facts.ts";
import { moneyOf } from "./money.ts";

export type CheckName =
  | "contracts"
  | "verifier"
  | "key"
  | "registration"
  | "opening"
  | "offer"
  | "money"
  | "receipts";

export interface Check {
  name: CheckName;
  /** `not checkable`: something is missing, and `detail` says what. */
  result: "passed" | "failed" | "not checkable";
  detail: string;
  /** Passed only because nothing on this chain has value. */
  onlyLocal?: true;
}

/** What this release vouches for. */
export interface Release {
  keys: readonly ReleaseKey[];
  /** Where it puts its contracts on every chain. */
  contracts: { registry: Address; escrow: Address };
}

const same = (left: string | null, right: string): boolean => left?.toLowerCase() === right.toLowerCase();
const verdict = (name: CheckName, holds: boolean, yes: string, no: string): Check => ({
  name,
  result: holds ? "passed" : "failed",
  detail: holds ? yes : no,
});

function checkContracts(facts: AgreementFacts, deployment: Deployment, { contracts }: Release): Check {
  for (const name of ["registry", "escrow"] as const) {
    const found = facts.code[name];
    if (!same(found, deployment.codeHashes[name]))
      return verdict(
        "contracts",
        false,
        "",
        `the ${name} at ${facts[name]} has other code than was deployed`,
      );
    if (!same(facts[name], contracts[name]))
      return verdict(
        "contracts",
        false,
        "",
        `the ${name} at ${facts[name]} is not this release's, which is at ${contracts[name]}: its rules are unknown`,
      );
  }
  return verdict("contracts", true, "registry and escrow are this release's, by address and code", "");
}

function checkVerifier({ registration, code }: AgreementFacts, { keys }: Release): Check {
  const { verifier, verifierCodeHash, vkHash } = registration;
  const key = keyOfVerifier(keys, verifier, verifierCodeHash);
  if (key === undefined)
    return verdict(
      "verifier",
      false,
      "",
      `${verifier} is no verifier of this release: it can accept whatever its maker likes`,
    );
  if (key.vkHash !== vkHash)
    return verdict("verifier", false, "", `it was registered as the verifier of another key, ${vkHash}`);
  return verdict(
    "verifier",
    same(code.verifier, verifierCodeHash),
    `this release's verifier for ${key.size} slots`,
    `the code at ${verifier} is no longer the one registered`,
  );
}

function checkKey(facts: AgreementFacts, { keys }: Release): Check {
  const key = keys.find(({ vkHash }) => vkHash === facts.registration.vkHash);
  if (key === undefined)
    return verdict("key", false, "", "nobody known made this key: whoever did may be able to forge proofs");
  try {
    refuseDevKey(key.trust, facts.chainId);
  } catch (error) {
    return verdict("key", false, "", failureOf(error).message);
  }
  const passed = verdict("key", true, describeKeyTrust(key.trust), "");
  return isForgeable(key.trust) ? { ...passed, onlyLocal: true } : passed;
}

function checkRegistration({ chainId, registry, registration }: AgreementFacts): Check {
  const found = adapterId({ chainId: BigInt(chainId), registry, ...registration });
  return verdict(
    "registration",
    found === registration.adapterId,
    "the adapter's id is the hash of contributor, manifest, verifier and groups",
    `what was registered hashes to ${found}, not to ${registration.adapterId}`,
  );
}

function checkOpening(facts: AgreementFacts): Check {
  const { opening, chainId, escrow, registration } = facts;
  const hash = offerHash(opening.offer);
  const { buyer, signer, amount, deadline, nonce } = opening;
  const found = agreementId({
    chainId: BigInt(chainId),
    escrow,
    buyer,
    offerHash: hash,
    signer,
    amount,
    deadline,
    nonce,
  });
  if (found !== facts.agreementId || opening.offer.adapterId !== registration.adapterId)
    return verdict("opening", false, "", `what was opened hashes to ${found}, not to ${facts.agreementId}`);
  const other = otherTerm(facts);
  return verdict(
    "opening",
    other === undefined,
    "the agreement's id is the hash of buyer, offer, signer, amount and deadline, and the escrow stores these terms",
    `the escrow is said to store another ${other} than was agreed: this node's answers contradict each other`,
  );
}

/** The first of the stored terms that is not what was agreed. */
function otherTerm({ now, opening, token }: AgreementFacts): string | undefined {
  const { buyer, signer, offer } = opening;
  const { payout, pricePerToken, closeWindow } = offer;
  const agreed = { buyer, signer, payout, token: offer.token, pricePerToken, closeWindow };
  const differs = Object.entries(agreed).find(
    ([name, value]) => !same(String(now[name as keyof typeof agreed]), String(value)),
  );
  return differs?.[0] ?? (same(token.address, offer.token) ? undefined : "token");
}

async function checkOffer(facts: AgreementFacts): Promise<Check> {
  const { offer, offerSignature } = facts.opening;
  if (offerSignature === null)
    return {
      name: "offer",
      result: "not checkable",
      detail: "the escrow was called by another contract: the contributor's signature is not in the calldata",
    };
  try {
    const { contributor } = facts.registration;
    await checkSignature(deploymentDomain(facts), "Offer", offer, offerSignature, contributor);
    return verdict("offer", true, "the contributor signed the terms the buyer took", "");
  } catch (error) {
    return verdict("offer", false, "", failureOf(error).message);
  }
}

/** The escrow's sums, done again. */
function checkMoney(facts: AgreementFacts): Check {
  const { held, problems } = moneyOf(facts);
  return verdict(
    "money",
    problems.length === 0,
    held === 0n
      ? "all that was paid in was credited to one of the two"
      : "what was paid in is credited, or still held",
    problems.join("; "),
  );
}

/** All checks that need no proof. */
export async function checkFacts(
  facts: AgreementFacts,
  deployment: Deployment,
  release: Release,
): Promise<Check[]> {
  return [
    checkContracts(facts, deployment, release),
    checkVerifier(facts, release),
    checkKey(facts, release),
    checkRegistration(facts),
    checkOpening(facts),
    await checkOffer(facts),
    checkMoney(facts),
  ];
}
