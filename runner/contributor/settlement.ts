/**
 * Proves the newest receipt of an agreement and settles it (protocol 5.4, 6). Every proof is stored as it is made, so that
 * an interrupted settlement goes on where it stopped.
 */
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { decodeState } from "../protocol/sessionState.ts";
import { type GroupWitness, groupWitness } from "../protocol/statement.ts";
import type { Domain } from "../protocol/typedData.ts";
import type { Proof } from "../prover/proofEncoding.ts";
import type { ProofBundle } from "../wire/messages.ts";
import type { ServedAdapter } from "./adapters.ts";
import { beginProving } from "./beginProving.ts";
import { readBundle } from "./bundle.ts";
import type { ContributorChain } from "./chainView.ts";
import type { ContributorData } from "./dataFolder.ts";
import type { OnEvent } from "./events.ts";
import { AgreementStore } from "./store/agreements.ts";
import { ProofStore } from "./store/proofs.ts";
import { ReceiptStore } from "./store/receipts.ts";

/** Proves one statement; `Prover` of runner/prover does. */
export interface StatementProver {
  prove(witness: GroupWitness, V: Uint8Array): Promise<Proof>;
}

export interface SettlementOptions {
  data: ContributorData;
  chain: ContributorChain;
  adapter: (adapterId: Hex) => Pick<ServedAdapter, "layout" | "manifest" | "weights" | "blinds">;
  /** The prover of a key size, kept between calls. */
  prover: (keySize: number) => Promise<StatementProver>;
  onEvent?: OnEvent;
}

export type SettlementOutcome =
  | { status: "settled"; txHash: Hex; owed: bigint; tokens: number }
  /** Mined, not final yet: ask again. */
  | { status: "waiting"; txHash: Hex };

export class Settlement {
  readonly #options: SettlementOptions;
  readonly #domain: Domain;
  readonly #agreements: AgreementStore;
  readonly #receipts: ReceiptStore;
  readonly #proofs: ProofStore;

  constructor(options: SettlementOptions) {
    const { data, chain } = options;
    this.#options = options;
    this.#domain = { chainId: chain.chainId, escrow: chain.escrow };
    this.#agreements = new AgreementStore(data.database);
    this.#receipts = new ReceiptStore(data.database);
    this.#proofs = new ProofStore(data.database);
  }

  /**
   * Proves what the newest receipt covers, each proof verified and stored as it is made. No receipt is taken from here on.
   * @throws DeltapayError `session/no-receipt`, `session/still-serving`, `prover/...`
   */
  async proveAgreement(
    agreementId: Hex,
    onProgress?: (done: number, total: number) => void,
  ): Promise<ProofBundle> {
    const record = this.#agreements.get(agreementId);
    const adapter = this.#options.adapter(record.adapterId);
    const newest = beginProving(this.#options.data, agreementId);
    const state = decodeState(adapter.layout, this.#receipts.readState(agreementId)!);
    const { passes } = newest.receipt;
    const total = adapter.layout.groups;
    const proven = new Set(this.#proofs.claims(agreementId, passes).map(({ group }) => group));
    for (let group = 0; group < total; group++) {
      if (proven.has(group)) continue;
      const started = performance.now();
      const prover = await this.#options.prover(adapter.layout.keySize);
      const witness = groupWitness(adapter.layout, adapter.weights, adapter.blinds, state, group);
      const proof = await prover.prove(witness, newest.statements[group]!);
      const proveMs = performance.now() - started;
      this.#proofs.add(agreementId, passes, { group, ...proof }, proveMs);
      proven.add(group);
      onProgress?.(proven.size, total);
      this.#options.onEvent?.({ type: "proving", agreementId, done: proven.size, total, proveMs });
    }
    return readBundle(this.#domain, adapter, record, this.#receipts, this.#proofs);
  }

  /**
   * Proves what is not proven yet and settles what is not settled; done when the settlement is final.
   * @throws DeltapayError as `proveAgreement`, and what the chain says
   */
  async settleAgreement(
    agreementId: Hex,
    onProgress?: (done: number, total: number) => void,
  ): Promise<SettlementOutcome> {
    const bundle = await this.proveAgreement(agreementId, onProgress);
    const { receipt, signature, V, claims } = bundle;
    const known = await this.#options.chain.readSettlement(agreementId, receipt);
    if (known !== undefined) return this.#finish(agreementId, bundle, known);
    const earlier = this.#proofs.newestTransaction(agreementId, receipt.passes);
    const request = { agreementId, receipt, signature, V, claims };
    await this.#options.chain.settle(request, {
      ...(earlier && { earlier }),
      // Before it is sent: a crash must not make two of one.
      onSent: (sent) => {
        this.#proofs.addTransaction(agreementId, receipt.passes, sent);
        this.#options.onEvent?.({ type: "settling", agreementId, txHash: sent.hash });
      },
    });
    const settled = await this.#options.chain.readSettlement(agreementId, receipt);
    if (settled === undefined)
      throw new DeltapayError("settle/incomplete", "the chain does not show the receipt as settled", {
        field: "agreementId",
        hint: "run it again: what is settled is left out",
      });
    return this.#finish(agreementId, bundle, settled);
  }

  /** Whether the chain shows the newest receipt as settled, final or not. */
  async isSettled(agreementId: Hex): Promise<boolean> {
    const newest = this.#receipts.newest(agreementId);
    if (newest === undefined) return false;
    return (await this.#options.chain.readSettlement(agreementId, newest.receipt)) !== undefined;
  }

  async #finish(
    agreementId: Hex,
    { receipt }: ProofBundle,
    { txHash, isFinal }: { txHash: Hex; isFinal: boolean },
  ): Promise<SettlementOutcome> {
    if (!isFinal) return { status: "waiting", txHash };
    const record = this.#agreements.get(agreementId);
    const tokens = Number(receipt.tokens);
    const due = receipt.tokens * record.pricePerToken;
    const owed = due < record.amount ? due : record.amount;
    this.#agreements.setSettlement(agreementId, txHash);
    if (this.#agreements.move(agreementId, ["proving", "ended"], "settled"))
      this.#options.onEvent?.({ type: "settled", agreementId, txHash, tokens, owed });
    return { status: "settled", txHash, owed, tokens };
  }
}
