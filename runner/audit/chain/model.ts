/** What the escrow must do with the calls of one agreement, written from docs/protocol.md 10 and nothing else. */
import {
  type Claim,
  type Domain,
  offerHash,
  type Receipt,
  receiptDigest,
  type Statement,
} from "../formats/messages.ts";
import type { Hex } from "../primitives/bytes.ts";
import { demand } from "../problem.ts";
import type { Call } from "./calls.ts";
import type { Status, Values } from "./contracts.ts";
import type { Opened } from "./history.ts";

/** Arguments of `settle`, and what they hash to. */
export interface SettleCall {
  call: Call;
  receipt: Receipt;
  receiptHash: Hex;
  signature: Hex;
  V: Statement[];
  claims: Claim[];
}

export interface ExpectedEvent {
  name: string;
  args: Values;
}

export interface AgreementState {
  status: Status;
  deadline: bigint;
  paid: bigint;
  /** Groups proven, by receipt. */
  proven: Map<Hex, Set<number>>;
}

export function settleArguments(call: Call, domain: Domain): SettleCall {
  const { receipt, signature, V, claims } = call.args as unknown as Omit<SettleCall, "call" | "receiptHash">;
  return { call, receipt, signature, V, claims, receiptHash: receiptDigest(domain, receipt) };
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** One agreement, moved on by its calls. */
export class AgreementModel {
  readonly state: AgreementState;
  /** What each call must have told, in order. */
  readonly events: ExpectedEvent[] = [];
  readonly #opened: Opened;
  readonly #groups: number;
  readonly #domain: Domain;

  /** @param groups of the adapter in the registry */
  constructor(opened: Opened, groups: number, domain: Domain) {
    this.#opened = opened;
    this.#groups = groups;
    this.#domain = domain;
    this.state = { status: "none", deadline: opened.deadline, paid: 0n, proven: new Map() };
  }

  /** @throws Wrong for a call the escrow would have refused */
  apply(call: Call): void {
    const { hash } = call.transaction;
    demand(call.transaction.succeeded, `${call.name} in ${hash} failed, and yet told something`);
    if (call.name === "open") this.#open();
    else if (call.name === "settle") this.#settle(settleArguments(call, this.#domain), call);
    else if (call.name === "close") this.#close(call);
    else if (call.name === "refund" || call.name === "release") this.#return(call);
  }

  #tell(name: string, args: Values): void {
    this.events.push({ name, args: { agreementId: this.#opened.agreementId, ...args } });
  }

  #requireActive({ name, transaction }: Call): void {
    const { status } = this.state;
    demand(
      status === "open" || status === "closing",
      `${name} in ${transaction.hash} on an agreement that is ${status}`,
    );
  }

  #requireBeforeDeadline({ name, transaction }: Call): void {
    demand(
      transaction.timestamp <= this.state.deadline,
      `${name} in ${transaction.hash} came at ${transaction.timestamp}, after the deadline ${this.state.deadline}`,
    );
  }

  #open(): void {
    const { adapterId, buyer, offer, signer, amount, deadline, nonce } = this.#opened;
    demand(this.state.status === "none", "the agreement was opened twice");
    this.state.status = "open";
    const hash = offerHash(offer);
    this.#tell("AgreementOpened", {
      adapterId,
      buyer,
      offerHash: hash,
      offer,
      signer,
      amount,
      deadline,
      nonce,
    });
  }

  #settle({ receipt, receiptHash, claims }: SettleCall, call: Call): void {
    this.#requireActive(call);
    this.#requireBeforeDeadline(call);
    const proven = this.state.proven.get(receiptHash) ?? new Set();
    this.state.proven.set(receiptHash, proven);
    const words = new Map<bigint, bigint>();
    let previous = -1;
    for (const { group } of claims) {
      const g = Number(group);
      demand(
        g > previous && g < this.#groups,
        `the groups of ${call.transaction.hash} do not increase below ${this.#groups}`,
      );
      demand(!proven.has(g), `group ${g} was settled before ${call.transaction.hash}`);
      proven.add(g);
      previous = g;
      words.set(group >> 8n, (words.get(group >> 8n) ?? 0n) | (1n << (group & 255n)));
    }
    for (const [word, bits] of words)
      this.#tell("GroupsSettled", { receiptHash, settler: call.from, word, bits });
    if (proven.size === this.#groups) this.#pay(receipt, receiptHash);
  }

  #pay({ passes, tokens, head, statementsHash }: Receipt, receiptHash: Hex): void {
    const owed = least(tokens * this.#opened.offer.pricePerToken, this.#opened.amount);
    const credited = owed > this.state.paid ? owed - this.state.paid : 0n;
    this.state.paid += credited;
    const { paid } = this.state;
    this.#tell("ReceiptSettled", { receiptHash, passes, tokens, head, statementsHash, credited, paid });
  }

  #close(call: Call): void {
    demand(
      this.state.status === "open",
      `close in ${call.transaction.hash} on an agreement that is ${this.state.status}`,
    );
    this.#requireBeforeDeadline(call);
    this.state.status = "closing";
    this.state.deadline = least(
      this.state.deadline,
      call.transaction.timestamp + this.#opened.offer.closeWindow,
    );
    this.#tell("AgreementClosing", { deadline: this.state.deadline });
  }

  #return(call: Call): void {
    this.#requireActive(call);
    const refunded = call.name === "refund";
    if (refunded)
      demand(
        call.transaction.timestamp > this.state.deadline,
        `refund in ${call.transaction.hash} came before the deadline`,
      );
    this.state.status = refunded ? "refunded" : "released";
    const { buyer, amount } = this.#opened;
    this.#tell(refunded ? "AgreementRefunded" : "AgreementReleased", {
      buyer,
      amount: amount - this.state.paid,
    });
  }
}
