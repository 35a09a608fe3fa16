/** Credits of every account, from all events of the escrow: what came in, what went out, what is owed. */
import type { Hex } from "../primitives/bytes.ts";
import type { ChainEvent, Opened } from "./history.ts";

/** One credit or withdrawal, and the credit that was there before. */
export interface Entry {
  event: ChainEvent;
  token: Hex;
  account: Hex;
  /** Agreement that credited; undefined for a withdrawal. */
  agreementId: Hex | undefined;
  amount: bigint;
  before: bigint;
}

export interface Ledger {
  entries: Entry[];
  credit(token: Hex, account: Hex): bigint;
  /** What the escrow must hold of a token: credits, and what open agreements have left. */
  held(token: Hex): bigint;
}

const amountOf = ({ args }: ChainEvent, name: string): bigint => args[name] as bigint;

/** Adds up all events of the escrow, oldest first. */
export function buildLedger(events: readonly ChainEvent[]): Ledger {
  const credits = new Map<string, bigint>();
  const held = new Map<Hex, bigint>();
  const opened = new Map<Hex, Opened>();
  const entries: Entry[] = [];
  const add = (event: ChainEvent, token: Hex, account: Hex, amount: bigint, agreementId?: Hex): void => {
    const key = `${token} ${account}`;
    const before = credits.get(key) ?? 0n;
    entries.push({ event, token, account, agreementId, amount, before });
    credits.set(key, agreementId === undefined ? before - amount : before + amount);
  };
  const hold = (token: Hex, amount: bigint): void => void held.set(token, (held.get(token) ?? 0n) + amount);
  for (const event of events) {
    const { name, args } = event;
    const agreement = opened.get(args["agreementId"] as Hex);
    if (name === "AgreementOpened") {
      const found = args as unknown as Opened;
      opened.set(found.agreementId, found);
      hold(found.offer.token, found.offer.openingFee + found.amount);
      add(event, found.offer.token, found.offer.payout, found.offer.openingFee, found.agreementId);
    } else if (name === "Withdrawn") {
      const [token, account, amount] = [
        args["token"] as Hex,
        args["account"] as Hex,
        amountOf(event, "amount"),
      ];
      hold(token, -amount);
      add(event, token, account, amount);
    } else if (agreement !== undefined) {
      const { agreementId, buyer, offer } = agreement;
      if (name === "ReceiptSettled")
        add(event, offer.token, offer.payout, amountOf(event, "credited"), agreementId);
      if (name === "AgreementRefunded" || name === "AgreementReleased")
        add(event, offer.token, buyer, amountOf(event, "amount"), agreementId);
    }
  }
  return {
    entries,
    credit: (token, account) => credits.get(`${token} ${account}`) ?? 0n,
    held: (token) => held.get(token) ?? 0n,
  };
}
