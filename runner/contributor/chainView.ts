/**
 * What the contributor needs of the chain. runner/chain gives it; a test may stand in for the chain with it.
 * "final" is the newest block that cannot be undone, "newest" the newest block there is.
 */
import type { SentTransaction } from "../chain/transact.ts";
import type { Hex } from "../protocol/bytes.ts";
import type { Address, Receipt } from "../protocol/typedData.ts";
import type { Claim } from "../wire/messages.ts";

export type BlockChoice = "final" | "newest";

/** An agreement as the escrow holds it, with the offer it was opened on. */
export interface AgreementView {
  status: "open" | "closing" | "refunded" | "released";
  buyer: Address;
  signer: Address;
  adapterId: Hex;
  /** From the event of `open`. */
  offerHash: Hex;
  payout: Address;
  token: Address;
  pricePerToken: bigint;
  /** Paid in for inference, without the opening fee. */
  amount: bigint;
  /** Part of it credited to payout so far. */
  paid: bigint;
  /** Last second at which receipts settle. */
  deadline: bigint;
}

/** Who may open a session of an agreement, and for which adapter. */
export type AgreementParty = Pick<AgreementView, "signer" | "adapterId">;

/** An adapter as the registry holds it. */
export interface AdapterView {
  contributor: Address;
  manifestHash: Hex;
  verifier: Address;
  verifierCodeHash: Hex;
  groups: number;
}

/** Verifier contract of a key in this deployment. */
export interface VerifierView {
  address: Address;
  codeHash: Hex;
  vkHash: Hex;
}

export interface AdapterRegistrationRequest {
  manifestHash: Hex;
  uri: string;
  verifier: Address;
  groups: number;
  salt: Hex;
}

/** A receipt with everything `settle` takes; b of the claims in EIP-197 order. */
export interface SettlementRequest {
  agreementId: Hex;
  receipt: Receipt;
  signature: Hex;
  V: [bigint, bigint][];
  claims: Claim[];
}

export interface Sending {
  /** What an earlier try sent last. */
  earlier?: SentTransaction;
  /** Hears of each transaction before any node does; it must be durable when this returns. */
  onSent: (sent: SentTransaction) => void;
}

export interface ContributorChain {
  readonly chainId: bigint;
  readonly registry: Address;
  readonly escrow: Address;
  /** Undefined when this deployment has no verifier of a key of this size. */
  verifier(keySize: number): VerifierView | undefined;
  /** Whose session an agreement is, in one request; undefined when no final block has it. Never changes once final. */
  readParty(agreementId: Hex): Promise<AgreementParty | undefined>;
  /** Undefined when there is none at that block. */
  readAgreement(agreementId: Hex, at: BlockChoice): Promise<AgreementView | undefined>;
  readAdapter(adapterId: Hex, at: BlockChoice): Promise<AdapterView | undefined>;
  /** The transaction that settled the last group of a receipt; undefined while there is none. */
  readSettlement(agreementId: Hex, receipt: Receipt): Promise<{ txHash: Hex; isFinal: boolean } | undefined>;
  /** Timestamp of the newest block, seconds. */
  time(): Promise<bigint>;
  /** Timestamp of the newest final block, seconds. */
  finalTime(): Promise<bigint>;
  /** Sends `register` and waits until it is mined. */
  registerAdapter(request: AdapterRegistrationRequest): Promise<{ txHash: Hex }>;
  /**
   * Sends `settle`, in as many transactions as the gas limit asks for, and waits until they are mined. Safe to repeat:
   * groups that are settled are left out, and an earlier transaction that is stuck is replaced.
   */
  settle(request: SettlementRequest, sending?: Sending): Promise<{ transactions: Hex[] }>;
  /** What the sending account can withdraw of a token (zero: ETH). */
  credit(token: Address): Promise<bigint>;
  /**
   * Takes that credit out, and waits until it is mined; an earlier transaction that is stuck is replaced, one that was
   * mined tells where it went.
   */
  withdraw(
    token: Address,
    to: Address,
    sending: Sending,
  ): Promise<{ txHash: Hex; amount: bigint; to: Address }>;
}
