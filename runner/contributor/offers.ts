/** The contributor's terms: signed offers, kept here and shown by the service (protocol 6). */
import type { LocalAccount } from "viem";
import { isLocalChain } from "../chain/localChain.ts";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { manifestLayout } from "../protocol/manifest.ts";
import {
  type Address,
  checkSignature,
  type Domain,
  type Offer,
  offerHash,
  typedData,
} from "../protocol/typedData.ts";
import { offerSchema, type SignedOffer, signedOfferSchema, stringifyMessage } from "../wire/messages.ts";
import { getAdapter, readManifest } from "./adapters.ts";
import type { ContributorData } from "./dataFolder.ts";
import { checkOfferPolicy } from "./leakage/policy.ts";
import { leastWindow } from "./margin.ts";
import { ProofStore } from "./store/proofs.ts";
import { all, first, nowSeconds, run } from "./store/rows.ts";

/** Terms a contributor chooses; times in seconds, amounts in the token's smallest unit. */
export interface OfferTerms {
  adapterId: Hex;
  /** Default: the contributor's account. */
  payout?: Address;
  /** ERC-20; default ETH. */
  token?: Address;
  pricePerToken: bigint;
  openingFee: bigint;
  maxUnpaidTokens: bigint;
  tokenCap: bigint;
  /** Default one hour. */
  minDuration?: bigint;
  /** Default one hour: time to prove and settle after the buyer closes. */
  closeWindow?: bigint;
  /** Default 1. */
  maxOpens?: bigint;
  /** Unix seconds; default in 30 days. */
  expiry?: bigint;
}

export interface StoredOffer extends SignedOffer {
  offerHash: Hex;
  cancelled: boolean;
}

const ETH: Address = "0x0000000000000000000000000000000000000000";
const HOUR = 3600n;
const DAY = 24n * HOUR;
const LONGEST = 36_525n * DAY;

function lower(address: Address): Address {
  return address.toLowerCase() as Address;
}

/**
 * Signs an offer with the contributor's account and stores it.
 * @throws DeltapayError `adapter/unknown`, `offer/not-contributor`, `offer/not-registered`, `offer/serves-nothing`, `offer/expired`,
 * `offer/no-payout`, `offer/too-short`, `offer/too-long`, `offer/out-of-range`, those of `checkOfferPolicy`
 */
export async function makeOffer(
  data: ContributorData,
  domain: Domain,
  account: LocalAccount,
  terms: OfferTerms,
): Promise<StoredOffer> {
  const adapter = getAdapter(data, terms.adapterId);
  if (adapter.contributor !== lower(account.address))
    throw new DeltapayError(
      "offer/not-contributor",
      "only the account that registered the adapter offers it",
      {
        field: "account",
        hint: `use ${adapter.contributor}`,
      },
    );
  if (!adapter.registered)
    throw new DeltapayError("offer/not-registered", "this adapter's registration was not finished", {
      field: "adapterId",
      hint: "run `deltapay adapter register` again",
    });
  const now = BigInt(nowSeconds());
  const offer: Offer = {
    adapterId: adapter.adapterId,
    payout: lower(terms.payout ?? account.address),
    token: lower(terms.token ?? ETH),
    pricePerToken: terms.pricePerToken,
    openingFee: terms.openingFee,
    maxUnpaidTokens: terms.maxUnpaidTokens,
    tokenCap: terms.tokenCap,
    minDuration: terms.minDuration ?? HOUR,
    closeWindow: terms.closeWindow ?? HOUR,
    maxOpens: terms.maxOpens ?? 1n,
    nonce: BigInt(`0x${Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex")}`),
    expiry: terms.expiry ?? now + 30n * DAY,
  };
  checkOffer(data, domain, offer, now);
  const signature = await account.signTypedData(typedData(domain, "Offer", offer));
  return store(data, offer, signature);
}

/**
 * Stores an offer signed elsewhere, by the contributor's wallet. One that is here already stays as it is.
 * @throws DeltapayError as `makeOffer`, and `signature/malformed`, `signature/wrong-signer`
 */
export async function addSignedOffer(
  data: ContributorData,
  domain: Domain,
  { offer, signature }: SignedOffer,
): Promise<StoredOffer> {
  const { contributor, registered } = getAdapter(data, offer.adapterId);
  if (!registered)
    throw new DeltapayError("offer/not-registered", "this adapter's registration was not finished", {
      field: "adapterId",
      hint: "run `deltapay adapter register` again",
    });
  checkOffer(data, domain, offer, BigInt(nowSeconds()));
  await checkSignature(domain, "Offer", offer, signature, contributor);
  return findOffer(data, offerHash(offer)) ?? store(data, offer, signature);
}

function checkOffer(data: ContributorData, domain: Domain, offer: Offer, now: bigint): void {
  checkTerms(offer, now);
  const layout = manifestLayout(readManifest(data, offer.adapterId));
  checkOfferPolicy(data.database, layout, offer);
  const slowestMs = new ProofStore(data.database).slowest();
  checkTimes(offer, leastWindow(isLocalChain(domain.chainId), layout.groups, slowestMs));
}

function checkTerms(offer: Offer, now: bigint): void {
  for (const field of ["maxUnpaidTokens", "tokenCap", "maxOpens"] as const)
    if (offer[field] < 1n)
      throw new DeltapayError("offer/serves-nothing", `an offer with ${field} 0 serves nothing`, { field });
  if (offer.expiry <= now)
    throw new DeltapayError("offer/expired", "the offer's expiry is in the past", {
      field: "expiry",
      hint: "give a time in unix seconds",
    });
  if (BigInt(offer.payout) === 0n)
    throw new DeltapayError("offer/no-payout", "payout is the zero address", { field: "payout" });
  // What does not fit the wire's schema must not be signed.
  const parsed = offerSchema.safeParse(JSON.parse(stringifyMessage(offer)));
  if (parsed.success) return;
  const issue = parsed.error.issues[0]!;
  throw new DeltapayError("offer/out-of-range", issue.message, { field: issue.path.join(".") });
}

/** Time to prove and settle is left whenever the buyer ends: at the deadline, or by a close right after a pass. */
function checkTimes(offer: Offer, least: bigint): void {
  for (const field of ["minDuration", "closeWindow"] as const) {
    if (offer[field] < least)
      throw new DeltapayError("offer/too-short", `${offer[field]} s are too short to prove and settle in`, {
        field,
        hint: `at least ${least} s for this adapter on this machine`,
      });
    if (offer[field] > LONGEST)
      throw new DeltapayError("offer/too-long", `${field} is longer than a century`, { field });
  }
}

function store(data: ContributorData, offer: Offer, signature: Hex): StoredOffer {
  const hash = offerHash(offer);
  run(
    data.database,
    "INSERT INTO offer (offer_hash, adapter_id, terms, signature, created_at) VALUES (?, ?, ?, ?, ?)",
    hash,
    offer.adapterId,
    stringifyMessage({ offer, signature }),
    signature,
    nowSeconds(),
  );
  return { offer, signature, offerHash: hash, cancelled: false };
}

interface Row {
  offer_hash: Hex;
  terms: string;
  cancelled: number;
}

function fromRow(row: Row): StoredOffer {
  return {
    ...signedOfferSchema.parse(JSON.parse(row.terms)),
    offerHash: row.offer_hash,
    cancelled: row.cancelled === 1,
  };
}

/** All offers made, oldest first; of one adapter when given. */
export function listOffers(data: ContributorData, adapterId?: Hex): StoredOffer[] {
  return all<Row>(data.database, "SELECT offer_hash, terms, cancelled FROM offer ORDER BY created_at, rowid")
    .map(fromRow)
    .filter(({ offer }) => adapterId === undefined || offer.adapterId === adapterId.toLowerCase());
}

/** An offer made here, also when cancelled. */
export function findOffer(data: ContributorData, hash: Hex): StoredOffer | undefined {
  const row = first<Row>(
    data.database,
    "SELECT offer_hash, terms, cancelled FROM offer WHERE offer_hash = ?",
    hash.toLowerCase(),
  );
  return row === undefined ? undefined : fromRow(row);
}

/**
 * Marks an offer cancelled: it is no longer shown. The chain's `cancelOffer` makes it void; send that first.
 * @throws DeltapayError `offer/unknown`
 */
export function markOfferCancelled(data: ContributorData, hash: Hex): void {
  if (run(data.database, "UPDATE offer SET cancelled = 1 WHERE offer_hash = ?", hash.toLowerCase()) === 0)
    throw new DeltapayError("offer/unknown", `offer ${hash} was not made in this folder`, {
      field: "offerHash",
    });
}

/** Offers the service shows: neither cancelled nor expired, the newest 64 at most. */
export function openOffers(data: ContributorData, adapterId: Hex, now: number = nowSeconds()): SignedOffer[] {
  return listOffers(data, adapterId)
    .filter(({ cancelled, offer }) => !cancelled && offer.expiry > BigInt(now))
    .slice(-64)
    .map(({ offer, signature }) => ({ offer, signature }));
}
