/** What the chain says about one agreement. Amounts in the token's smallest unit, times in unix seconds. */
import type { Agreement } from "../../../runner/chain/agreements.ts";
import type { Token } from "../../../runner/chain/erc20.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import type { Address, Offer, Receipt } from "../../../runner/protocol/typedData.ts";
import type { Claim } from "../../../runner/wire/messages.ts";
import type { StoredFailure } from "../failure.ts";

/** Where on the chain something happened. */
export interface Place {
  txHash: Hex;
  blockNumber: bigint;
  blockHash: Hex;
  time: bigint;
  /** Who sent the transaction. */
  from: Address;
  /** Gas of the whole transaction. */
  gasUsed: bigint;
}

/** The adapter as registered. */
export interface Registration {
  adapterId: Hex;
  contributor: Address;
  verifier: Address;
  verifierCodeHash: Hex;
  vkHash: Hex;
  manifestHash: Hex;
  groups: number;
  salt: Hex;
  uri: string;
  at: Place;
}

export interface OpeningFacts {
  adapterId: Hex;
  buyer: Address;
  offer: Offer;
  offerHash: Hex;
  /** From the calldata; null when the escrow was called through another contract. */
  offerSignature: Hex | null;
  signer: Address;
  amount: bigint;
  deadline: bigint;
  nonce: bigint;
  at: Place;
}

/** One `settle` call. */
export interface Submission {
  receiptHash: Hex;
  settler: Address;
  /** Groups the escrow's event names as proven by it. */
  groups: number[];
  at: Place;
  /** What was called; null, with the reason, when it cannot be read from the transaction. */
  call: SettleCall | null;
  problem?: StoredFailure;
}

/** The arguments of `settle`. */
export interface SettleCall {
  receipt: Receipt;
  signature: Hex;
  V: [bigint, bigint][];
  claims: Claim[];
}

/** A receipt, with everything that was sent for it. */
export interface ReceiptFacts {
  receiptHash: Hex;
  /** Oldest first. */
  submissions: Submission[];
  /** When its last group was proven. */
  settled: {
    passes: bigint;
    tokens: bigint;
    head: Hex;
    statementsHash: Hex;
    credited: bigint;
    paid: bigint;
    /** Among the receipts of the agreement that are settled. */
    position: number;
    at: Place;
  } | null;
}

/** Money sent out of the escrow to an account, for whatever agreements it had credit from. */
export interface Withdrawal {
  account: Address;
  to: Address;
  amount: bigint;
  at: Place;
}

export interface AgreementFacts {
  agreementId: Hex;
  chainId: number;
  escrow: Address;
  registry: Address;
  /** The newest block read. */
  head: { number: bigint; hash: Hex; time: bigint };
  /** The agreement as stored now. */
  now: Agreement;
  token: Token;
  registration: Registration;
  opening: OpeningFacts;
  /** In the order their first proof came. */
  receipts: ReceiptFacts[];
  closing: { deadline: bigint; at: Place } | null;
  /** What went back to the buyer, by the deadline or by the contributor. */
  returned: { how: "refunded" | "released"; amount: bigint; at: Place } | null;
  /** Of the token, by payout and buyer, since the opening; oldest first. */
  withdrawals: Withdrawal[];
  /** keccak256 of the code found now; null where there is none. */
  code: { verifier: Hex | null; registry: Hex | null; escrow: Hex | null };
}
