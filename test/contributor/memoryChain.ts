/** A chain in memory, for tests that need its clock, its reorganisations or its failures in their hands. */
import type {
  AdapterView,
  AgreementView,
  ContributorChain,
  VerifierView,
} from "../../runner/contributor/chainView.ts";
import { pinnedKey } from "../../runner/keys/pinned.ts";
import { type Hex, toHex } from "../../runner/protocol/bytes.ts";
import { type Address, adapterId, messageDigest } from "../../runner/protocol/typedData.ts";

export const REGISTRY: Address = "0x00000000000000000000000000000000000000aa";
export const ESCROW: Address = "0x00000000000000000000000000000000000000ee";
export const DOMAIN = { chainId: 31337n, escrow: ESCROW };

const hash = (byte: number): Hex => toHex(new Uint8Array(32).fill(byte));

export class MemoryChain implements ContributorChain {
  readonly chainId: bigint;
  readonly registry = REGISTRY;
  readonly escrow = ESCROW;
  /** Who sends transactions. */
  sender: Address = "0x0000000000000000000000000000000000000000";
  readonly adapters = new Map<Hex, AdapterView>();
  readonly agreements = new Map<Hex, AgreementView>();
  /** Agreements that are mined but could still be undone. */
  readonly notFinal = new Set<Hex>();
  /** Seconds the chain is ahead of this machine. */
  ahead = 0n;
  /** Seconds the newest final block is behind the newest. */
  finalBehind = 0n;
  /** Whether what is settled is final at once. */
  settlesFinally = true;
  /** Set to make the next transaction fail. */
  failNext: Error | undefined;
  readonly settled = new Map<Hex, { txHash: Hex; isFinal: boolean }>();
  readonly sent: string[] = [];
  /** What can be withdrawn. */
  credited = 0n;

  constructor(chainId = DOMAIN.chainId) {
    this.chainId = chainId;
  }

  verifier(keySize: number): VerifierView | undefined {
    return {
      address: "0x00000000000000000000000000000000000000cc" as Address,
      codeHash: hash(9),
      vkHash: pinnedKey(keySize).vkHash,
    };
  }

  async readParty(agreementId: Hex): Promise<AgreementView | undefined> {
    return this.readAgreement(agreementId, "final");
  }

  async readAgreement(agreementId: Hex, at: "final" | "newest"): Promise<AgreementView | undefined> {
    if (at === "final" && this.notFinal.has(agreementId)) return undefined;
    const found = this.agreements.get(agreementId);
    return found && { ...found };
  }

  async readAdapter(id: Hex): Promise<AdapterView | undefined> {
    return this.adapters.get(id);
  }

  async readSettlement(
    _agreementId: Hex,
    receipt: Parameters<ContributorChain["readSettlement"]>[1],
  ): Promise<{ txHash: Hex; isFinal: boolean } | undefined> {
    return this.settled.get(messageDigest(DOMAIN, "Receipt", receipt));
  }

  async time(): Promise<bigint> {
    return BigInt(Math.floor(Date.now() / 1000)) + this.ahead;
  }

  async finalTime(): Promise<bigint> {
    return (await this.time()) - this.finalBehind;
  }

  async credit(): Promise<bigint> {
    return this.credited;
  }

  async withdraw(
    ...[, to, sending]: Parameters<ContributorChain["withdraw"]>
  ): ReturnType<ContributorChain["withdraw"]> {
    const fees = { maxFeePerGas: 2n, maxPriorityFeePerGas: 1n };
    sending.onSent({ hash: hash(3), from: this.sender, nonce: 0, ...fees, sentAt: Date.now() });
    this.#send("withdraw");
    const amount = this.credited;
    this.credited = 0n;
    return { txHash: hash(3), amount, to };
  }

  #send(name: string): void {
    this.sent.push(name);
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure !== undefined) throw failure;
  }

  async registerAdapter(
    request: Parameters<ContributorChain["registerAdapter"]>[0],
  ): Promise<{ txHash: Hex }> {
    this.#send("register");
    const { manifestHash, verifier, groups, salt } = request;
    const entry = { contributor: this.sender, manifestHash, verifier, verifierCodeHash: hash(9), groups };
    const id = adapterId({ ...entry, chainId: this.chainId, registry: REGISTRY, salt });
    this.adapters.set(id, entry);
    return { txHash: hash(1) };
  }

  async settle(
    ...[request, sending]: Parameters<ContributorChain["settle"]>
  ): Promise<{ transactions: Hex[] }> {
    sending?.onSent({
      hash: hash(2),
      from: this.sender,
      nonce: 0,
      maxFeePerGas: 2n,
      maxPriorityFeePerGas: 1n,
      sentAt: Date.now(),
    });
    this.#send("settle");
    const agreement = this.agreements.get(request.agreementId)!;
    agreement.paid = request.receipt.tokens * agreement.pricePerToken;
    this.settled.set(messageDigest(DOMAIN, "Receipt", request.receipt), {
      txHash: hash(2),
      isFinal: this.settlesFinally,
    });
    return { transactions: [hash(2)] };
  }
}
