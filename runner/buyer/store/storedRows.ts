/** What the buyer's database holds: its schema, and its rows as what they mean. */
import { z } from "zod";
import type { Hex } from "../../protocol/bytes.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import type { Receipt } from "../../protocol/typedData.ts";
import { offerSchema, parseMessage, receiptSchema, serviceSchema } from "../../wire/messages.ts";

/** Give to `openDatabase`. Only ever append. */
export const BUYER_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE agreement (
    id TEXT PRIMARY KEY,
    terms TEXT NOT NULL,
    phase TEXT NOT NULL,
    transaction_hash TEXT
  ) STRICT;
  CREATE TABLE session (
    agreement TEXT PRIMARY KEY REFERENCES agreement(id),
    passes INTEGER NOT NULL,
    state BLOB NOT NULL
  ) STRICT;
  CREATE TABLE pass (
    agreement TEXT PRIMARY KEY REFERENCES agreement(id),
    number INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    salt BLOB NOT NULL
  ) STRICT;
  CREATE TABLE pass_input (
    agreement TEXT NOT NULL REFERENCES pass(agreement) ON DELETE CASCADE,
    module INTEGER NOT NULL,
    x BLOB NOT NULL,
    PRIMARY KEY (agreement, module)
  ) STRICT;
  CREATE TABLE receipt (
    agreement TEXT NOT NULL REFERENCES agreement(id),
    passes INTEGER NOT NULL,
    receipt TEXT NOT NULL,
    signature TEXT NOT NULL,
    state BLOB,
    accepted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (agreement, passes)
  ) STRICT;
  CREATE TABLE rank_row (
    agreement TEXT NOT NULL REFERENCES agreement(id),
    position INTEGER NOT NULL,
    pivot INTEGER NOT NULL,
    row BLOB NOT NULL,
    PRIMARY KEY (agreement, position)
  ) STRICT;
  `,
  `
  CREATE INDEX receipt_with_state ON receipt (agreement, passes) WHERE state IS NOT NULL;
  `,
];

/**
 * opening: the transaction may or may not be on chain. abandoned: it is not and cannot come there any more. ended: nothing
 * more will be asked.
 */
export type AgreementPhase = "opening" | "abandoned" | "open" | "ended";

const { adapterId: hash, payout: address, nonce: uint256, expiry: uint64 } = offerSchema.shape;
const served = serviceSchema.shape.adapters.element.shape;

const termsSchema = z.strictObject({
  agreementId: hash,
  chainId: uint64,
  escrow: address,
  registry: address,
  contributor: address,
  buyer: address,
  signer: address,
  manifestHash: hash,
  offer: offerSchema,
  offerSignature: served.recordSignature,
  amount: uint256,
  deadline: uint64,
  nonce: uint256,
  record: served.record,
});

/**
 * All that was agreed; immutable but for `record`, which follows the contributor (`setRecord`), and for `deadline` on chain,
 * which `close` can bring forward.
 */
export type AgreementTerms = z.output<typeof termsSchema>;

export interface StoredAgreement {
  terms: AgreementTerms;
  phase: AgreementPhase;
  transactionHash: Hex | null;
}

/** A pass begun and not finished. */
export interface PendingPass {
  number: number;
  tokens: number;
  salt: Uint8Array;
  /** X by module index, of the modules that were asked or were about to be. */
  inputs: Map<number, Int16Array>;
}

export interface StoredReceipt {
  receipt: Receipt;
  signature: Hex;
  /** Session state it covers; dropped once a later receipt is accepted. */
  state: Uint8Array | null;
  accepted: boolean;
}

export type Row = Record<string, unknown>;

/** @throws DeltapayError `session/bad-state` */
export function blob(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new DeltapayError("session/bad-state", "the buyer's database holds something else than expected", {
    hint: "restore it from a backup",
  });
}

export function readAgreement(row: Row): StoredAgreement {
  return {
    terms: parseMessage(termsSchema, JSON.parse(String(row["terms"])), "stored agreement"),
    phase: row["phase"] as AgreementPhase,
    transactionHash: row["transaction_hash"] as Hex | null,
  };
}

export function readReceipt(row: Row): StoredReceipt {
  return {
    receipt: parseMessage(receiptSchema, JSON.parse(String(row["receipt"])), "stored receipt"),
    signature: row["signature"] as Hex,
    state: row["state"] === null ? null : blob(row["state"]),
    accepted: Number(row["accepted"]) === 1,
  };
}
