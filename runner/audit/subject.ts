/** The agreement under audit: its events, its transactions, and what several checks compute once. */

import { type Call, TransactionReader } from "./chain/calls.ts";
import { ESCROW, REGISTRY, STATUSES, type Values } from "./chain/contracts.ts";
import { type ChainEvent, type History, isAbout, type Opened } from "./chain/history.ts";
import { buildLedger, type Ledger } from "./chain/ledger.ts";
import { AgreementModel, type SettleCall, settleArguments } from "./chain/model.ts";
import type { ChainNode } from "./chain/node.ts";
import { inOrder, type MinedTransaction } from "./chain/transactions.ts";
import type { CommitKey } from "./formats/commitKey.ts";
import { adapterId, agreementId, batchSeed, type Domain, offerHash } from "./formats/messages.ts";
import type { Hex } from "./primitives/bytes.ts";
import { AuditError, Missing, Wrong } from "./problem.ts";
import { type PinnedKey, type Release, readPinnedKey } from "./release.ts";
import { once } from "./verdict.ts";

/** An adapter as its event tells it. */
export interface Registered {
  adapterId: Hex;
  contributor: Hex;
  verifier: Hex;
  verifierCodeHash: Hex;
  vkHash: Hex;
  manifestHash: Hex;
  groups: bigint;
  salt: Hex;
  uri: string;
}

export interface SubjectOptions {
  node: ChainNode;
  release: Release;
  history: History;
  /** First block at which the contracts told anything. */
  startBlock: bigint;
  agreementId: Hex;
}

function paidEventOf(events: readonly ChainEvent[]): ChainEvent | undefined {
  const settled = events.filter(({ name }) => name === "ReceiptSettled");
  const tokens = ({ args }: ChainEvent): bigint => args["tokens"] as bigint;
  return (
    settled.findLast(({ args }) => (args["credited"] as bigint) > 0n) ??
    settled.reduce<ChainEvent | undefined>(
      (most, event) => (most === undefined || tokens(event) > tokens(most) ? event : most),
      undefined,
    )
  );
}

/** Id of the agreement that an `open` call makes. */
export function openedBy({ args, from }: Call, domain: Domain): Hex {
  const { offer, ...terms } = args as unknown as Opened;
  return agreementId({ ...terms, ...domain, buyer: from, offerHash: offerHash(offer) });
}

export class Subject {
  readonly node: ChainNode;
  readonly release: Release;
  readonly history: History;
  readonly agreementId: Hex;
  readonly domain: Domain;
  /** Whether no event is missing from the history. */
  readonly isWhole: boolean;
  readonly opened: Opened;
  readonly openedEvent: ChainEvent;
  /** Events of the agreement, in order. */
  readonly events: ChainEvent[];
  /** The receipt that fixed what was paid: the last that credited something, else the one of most tokens. */
  readonly paidEvent: ChainEvent | undefined;
  readonly #reader: TransactionReader;

  /** @throws AuditError `audit/no-agreement` */
  constructor({ node, release, history, startBlock, agreementId }: SubjectOptions) {
    this.node = node;
    this.release = release;
    this.history = history;
    this.agreementId = agreementId;
    this.domain = { chainId: node.chainId, escrow: history.addresses.escrow };
    this.isWhole = history.from <= startBlock;
    this.events = history.events.filter((event) => isAbout(event, agreementId));
    const first = this.events.find(({ name }) => name === "AgreementOpened");
    if (first === undefined)
      throw new AuditError(
        "audit/no-agreement",
        `no event of the escrow ${history.addresses.escrow} on chain ${node.chainId} opens ${agreementId}`,
        { field: "agreementId", hint: "see --rpc, --deployment and --from-block" },
      );
    this.openedEvent = first;
    this.opened = first.args as unknown as Opened;
    this.paidEvent = paidEventOf(this.events);
    this.#reader = new TransactionReader(node, history.addresses);
  }

  /** The event that registered the adapter. */
  readonly registeredEvent = once((): ChainEvent => {
    const { adapterId } = this.opened;
    const isIt = ({ name, args }: ChainEvent): boolean =>
      name === "AdapterRegistered" && args["adapterId"] === adapterId;
    const found = this.history.events.find(isIt);
    if (found !== undefined) return found;
    if (!this.isWhole)
      throw new Missing(
        `adapter ${adapterId} was registered before block ${this.history.from}: give an earlier --from-block`,
      );
    throw new Wrong(`no event registers adapter ${adapterId}`);
  });

  readonly registered = once(async () => (await this.registeredEvent()).args as unknown as Registered);

  /** The call that registered the adapter; where none makes its id, the one with its salt. */
  readonly registerCall = once(async (): Promise<Call> => {
    const { salt, verifierCodeHash } = await this.registered();
    const { log } = await this.registeredEvent();
    const calls = (await this.callsIn(log.transactionHash)).filter(({ name }) => name === "register");
    const { chainId } = this.node;
    const { registry } = this.history.addresses;
    const idOf = ({ from, args }: Call): Hex =>
      adapterId({
        ...(args as unknown as Registered),
        chainId,
        registry,
        contributor: from,
        verifierCodeHash,
      });
    const call =
      calls.find((one) => idOf(one) === this.opened.adapterId) ??
      calls.find(({ args }) => args["salt"] === salt);
    if (call === undefined) throw new Wrong(`no call registers the adapter in ${log.transactionHash}`);
    return call;
  });

  /** The registry's entry as it is now. */
  readonly entry = once(async () => {
    const { registry } = this.history.addresses;
    return this.node.view<Values>(registry, REGISTRY, "adapters", [this.opened.adapterId]);
  });

  /** The agreement as the escrow has it now. */
  readonly stored = once(async () => {
    const { escrow } = this.history.addresses;
    const found = await this.node.view<Values>(escrow, ESCROW, "agreements", [this.agreementId]);
    return { ...found, status: STATUSES[Number(found["status"])] ?? "none" } as Values & { status: string };
  });

  /** The pinned key of the adapter's verifier. @throws Wrong when the verifier is not of the release */
  readonly pinned = once(async (): Promise<PinnedKey> => {
    const { verifier } = await this.registered();
    const found = this.release.verifiers.find(({ address }) => address === verifier);
    if (found === undefined) throw new Wrong(`the adapter's verifier ${verifier} is none of this release`);
    return found.key;
  });

  readonly key = once(async (): Promise<CommitKey> => readPinnedKey(await this.pinned()));

  transaction(hash: Hex): Promise<MinedTransaction> {
    return this.#reader.read(hash);
  }

  callsIn(hash: Hex): Promise<Call[]> {
    return this.#reader.calls(hash);
  }

  /** Calls on the agreement, in order: `open`, `settle`, `close`, `refund`, `release`. */
  readonly calls = once(async (): Promise<Call[]> => {
    const hashes = [...new Set(this.events.map(({ log }) => log.transactionHash))];
    const transactions = await Promise.all(hashes.map((hash) => this.transaction(hash)));
    const found: Call[] = [];
    for (const { hash } of transactions.sort(inOrder))
      for (const call of await this.callsIn(hash)) if (await this.#isOurs(call)) found.push(call);
    return found;
  });

  async #isOurs(call: Call): Promise<boolean> {
    const { contract, name, args } = call;
    if (contract !== "escrow") return false;
    if (name !== "open") return args["agreementId"] === this.agreementId;
    return call === (await this.#opening());
  }

  /**
   * The `open` call of the event's transaction that makes the agreement: a contract can open several there, with one
   * nonce. Where none does, the one with the event's nonce, so that the checks can say what differs.
   */
  readonly #opening = once(async (): Promise<Call | undefined> => {
    const { log, args: told } = this.openedEvent;
    const opens = (await this.callsIn(log.transactionHash)).filter(({ name }) => name === "open");
    return (
      opens.find((call) => openedBy(call, this.domain) === this.agreementId) ??
      opens.find(({ args }) => args["nonce"] === told["nonce"])
    );
  });

  readonly openCall = once(async (): Promise<Call> => {
    const call = (await this.calls()).find(({ name }) => name === "open");
    if (call === undefined)
      throw new Wrong(`no call opens the agreement in ${this.openedEvent.log.transactionHash}`);
    return call;
  });

  readonly settleCalls = once(async (): Promise<SettleCall[]> => {
    const calls = await this.calls();
    return calls.filter(({ name }) => name === "settle").map((call) => settleArguments(call, this.domain));
  });

  /** A call that settled the receipt of `paidEvent`; with nothing paid, the last. */
  readonly paidCall = once(async (): Promise<SettleCall> => {
    const calls = await this.settleCalls();
    const paid = this.paidEvent?.args["receiptHash"];
    const found = paid === undefined ? calls.at(-1) : calls.find(({ receiptHash }) => receiptHash === paid);
    if (found !== undefined) return found;
    if (paid === undefined) throw new Missing("no receipt was settled");
    throw new Wrong(`no call settles the receipt ${String(paid)} that was paid`);
  });

  /** What the escrow must have done. @throws Wrong for a call it should have refused */
  readonly model = once(async (): Promise<AgreementModel> => {
    const { groups } = await this.registered();
    const model = new AgreementModel(this.opened, Number(groups), this.domain);
    for (const call of await this.calls()) model.apply(call);
    return model;
  });

  readonly ledger = once((): Ledger => buildLedger(this.history.events));

  /** Seed of a settle call's random weights. */
  async seedOf({ receiptHash, V, claims }: SettleCall): Promise<Hex> {
    const { vkHash } = await this.pinned();
    return batchSeed({ domain: this.domain, agreementId: this.agreementId, receiptHash, vkHash, V, claims });
  }
}
