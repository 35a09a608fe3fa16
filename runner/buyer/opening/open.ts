/**
 * Accepting an offer. The agreement's id is known before its transaction, so everything needed to go on is durable first:
 * whatever is interrupted can be taken up again with the same id.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Hex, readUintLE } from "../../protocol/bytes.ts";
import { DeltapayError, ensure } from "../../protocol/errors.ts";
import {
  type Address,
  agreementId,
  type Domain,
  offerHash,
  type ServiceRecord,
} from "../../protocol/typedData.ts";
import type { Vault } from "../../storage/vault.ts";
import type { SignedOffer } from "../../wire/messages.ts";
import type { BuyerChain, ChainAgreement } from "../chainView.ts";
import { unixNow } from "../clock.ts";
import { newSigner } from "../store/signerKey.ts";
import type { BuyerStore } from "../store/store.ts";
import type { AgreementTerms, StoredAgreement } from "../store/storedRows.ts";
import { checkFee, checkLock } from "./offer.ts";

export interface OpenOptions {
  chain: BuyerChain;
  store: BuyerStore;
  vault: Vault;
  domain: Domain;
  registry: Address;
  buyer: Address;
  contributor: Address;
  manifestHash: Hex;
  record: ServiceRecord;
  /** Checked with `checkOffer`. */
  offer: SignedOffer;
  /** To pay in besides the opening fee, smallest units. */
  amount: bigint;
  /** Largest opening fee to pay, smallest units. Default: `defaultMaxFee`. */
  maxFee?: bigint;
  /** Longest time the money may stay locked after `close`, seconds. Default: `DEFAULT_MAX_LOCK`. */
  maxLock?: bigint;
  /** Last second at which receipts settle, Unix time. Default: the offer's minDuration and an hour from now. */
  deadline?: bigint;
  /** Unix seconds by which the chain judges. Default: the clock. */
  now?: bigint;
}

const HOUR = 3600n;

/**
 * Prepares an agreement: a fresh signer key in the vault, the terms in the database, nothing on chain yet.
 * @returns its id, which the escrow will give it
 * @throws DeltapayError `offer/fee-too-high`, `offer/locks-too-long`, `agreement/deadline`
 */
export function prepareAgreement(options: OpenOptions): Hex {
  const { store, vault, domain, offer, amount } = options;
  checkFee(offer.offer, amount, options.maxFee);
  const now = options.now ?? unixNow();
  const deadline = options.deadline ?? now + offer.offer.minDuration + HOUR;
  ensure(
    deadline >= now + offer.offer.minDuration,
    "agreement/deadline",
    `the offer asks for a deadline at least ${offer.offer.minDuration} s from now`,
    {
      field: "deadline",
      hint: `choose ${now + offer.offer.minDuration + HOUR} (Unix time) or later`,
    },
  );
  // Stored, it could not be read again, nor any other agreement of the folder.
  ensure(
    deadline >> 64n === 0n,
    "agreement/deadline",
    `the deadline ${deadline} is later than the escrow can keep`,
    { field: "deadline", hint: "do not take an offer whose minDuration no agreement can outlast" },
  );
  checkLock(offer.offer, deadline - now, options.maxLock);
  const signer = newSigner(vault);
  const nonce = readUintLE(crypto.getRandomValues(new Uint8Array(32)), 0, 32);
  const hash = offerHash(offer.offer);
  const { chainId, escrow } = domain;
  const { buyer } = options;
  const id = agreementId({ chainId, escrow, buyer, offerHash: hash, signer, amount, deadline, nonce });
  const lower = (hex: Hex): Hex => hex.toLowerCase() as Hex;
  store.addAgreement({
    agreementId: id,
    chainId,
    escrow: lower(escrow),
    registry: lower(options.registry),
    contributor: lower(options.contributor),
    buyer: lower(buyer),
    signer,
    manifestHash: lower(options.manifestHash),
    offer: offer.offer,
    offerSignature: offer.signature,
    amount,
    deadline,
    nonce,
    record: options.record,
  });
  return id;
}

export interface FinalityOptions {
  /** Between two looks at the chain, milliseconds. Default 2000. */
  pollMs?: number;
  /** Give up after this long; the agreement can be resumed. Default 30 minutes. */
  timeoutMs?: number;
  onProgress?: (step: "sending" | "waiting for finality") => void;
}

/**
 * Sends a prepared agreement's transaction unless it is on chain already, and waits until it is final. Safe to repeat
 * after a crash at any point: a second transaction for the same id fails without moving money.
 * @throws DeltapayError `agreement/unknown`, `agreement/abandoned`, `agreement/over`, `agreement/not-final`, and whatever
 * the chain throws
 */
export async function completeOpening(
  chain: BuyerChain,
  store: BuyerStore,
  id: Hex,
  options: FinalityOptions = {},
): Promise<StoredAgreement> {
  const { terms, phase } = store.agreement(id);
  if (phase === "abandoned")
    throw new DeltapayError("agreement/abandoned", `the opening of ${id} was given up: it cannot succeed`, {
      field: "agreementId",
      hint: "open another one: deltapay open --contributor URL",
    });
  if (phase !== "opening") return store.agreement(id);
  if ((await chain.readAgreement(id, "newest")).status === "none") {
    options.onProgress?.("sending");
    await send(chain, store, terms);
  }
  options.onProgress?.("waiting for finality");
  const status = await untilFinal(chain, id, options);
  store.setPhase(id, status === "open" ? "open" : "ended");
  if (status === "open") return store.agreement(id);
  throw new DeltapayError("agreement/over", `the agreement is ${status}`, {
    field: "agreementId",
    hint: "open another one",
  });
}

/** Prepares and opens an agreement. @throws as `prepareAgreement` and `completeOpening` */
export async function openAgreement(options: OpenOptions & FinalityOptions): Promise<StoredAgreement> {
  const now = options.now ?? (await options.chain.time());
  return completeOpening(options.chain, options.store, prepareAgreement({ ...options, now }), options);
}

async function send(chain: BuyerChain, store: BuyerStore, terms: AgreementTerms): Promise<void> {
  const { agreementId: id, offer, offerSignature, signer, amount, deadline, nonce } = terms;
  try {
    const { txHash } = await chain.openAgreement({
      offer,
      signature: offerSignature,
      signer,
      amount,
      deadline,
      nonce,
    });
    store.setTransaction(id, txHash);
  } catch (error) {
    // An earlier transaction for the same id may have been mined meanwhile: then this one had to fail.
    if ((await chain.readAgreement(id, "newest")).status === "none") throw error;
  }
}

/** The agreement's status once it is there for good. */
async function untilFinal(
  chain: BuyerChain,
  id: Hex,
  options: FinalityOptions,
): Promise<ChainAgreement["status"]> {
  const end = performance.now() + (options.timeoutMs ?? 1_800_000);
  for (;;) {
    const { status } = await chain.readAgreement(id, "final");
    if (status !== "none") return status;
    if (performance.now() >= end)
      throw new DeltapayError("agreement/not-final", `agreement ${id} is not final yet`, {
        field: "agreementId",
        hint: "run the same command again: it goes on waiting, nothing is paid twice",
      });
    await delay(options.pollMs ?? 2000);
  }
}
