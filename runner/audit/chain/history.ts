/** Everything registry and escrow have told since a block, by agreement and as a ledger of credits. */

import type { Offer } from "../formats/messages.ts";
import type { Hex } from "../primitives/bytes.ts";
import type { Addresses } from "./calls.ts";
import { decodeEvent, ESCROW, REGISTRY, type Values } from "./contracts.ts";
import { type Log, readLogs } from "./logs.ts";
import type { ChainNode } from "./node.ts";

export interface ChainEvent {
  contract: "registry" | "escrow";
  name: string;
  args: Values;
  log: Log;
}

export interface Opened {
  agreementId: Hex;
  adapterId: Hex;
  buyer: Hex;
  offerHash: Hex;
  offer: Offer;
  signer: Hex;
  amount: bigint;
  deadline: bigint;
  nonce: bigint;
}

export interface History {
  addresses: Addresses;
  /** First block read. */
  from: bigint;
  events: ChainEvent[];
  /** Logs of other contracts, which a right node does not give. */
  foreign: Log[];
}

/** Reads and decodes all events of the two contracts. */
export async function readHistory(
  node: ChainNode,
  addresses: Addresses,
  from: bigint,
  onProgress: (done: number, total: number) => void,
): Promise<History> {
  const logs = await readLogs(node, [addresses.registry, addresses.escrow], from, onProgress);
  const foreign: Log[] = [];
  const events: ChainEvent[] = [];
  for (const log of logs) {
    const event = eventOf(log, addresses);
    if (event === undefined) foreign.push(log);
    else events.push(event);
  }
  return { addresses, from, events, foreign };
}

/** A log of one of the two contracts, decoded; undefined for any other. */
export function eventOf(log: Log, { registry, escrow }: Addresses): ChainEvent | undefined {
  if (log.address !== registry && log.address !== escrow) return undefined;
  const contract = log.address === registry ? "registry" : "escrow";
  const decoded = decodeEvent(contract === "registry" ? REGISTRY : ESCROW, log);
  return decoded && { contract, ...decoded, log };
}

/** Ids of all agreements, oldest first. */
export function agreementsOf({ events }: History): Hex[] {
  return events
    .filter(({ name }) => name === "AgreementOpened")
    .map(({ args }) => args["agreementId"] as Hex);
}

export const isAbout = ({ contract, args }: ChainEvent, agreementId: Hex): boolean =>
  contract === "escrow" && args["agreementId"] === agreementId;
