/** Tokens whose answers were given, by adapter and buyer: also those of passes under way, paid or not. */
import type { DatabaseSync } from "node:sqlite";
import type { Hex } from "../../protocol/bytes.ts";
import type { Address } from "../../protocol/typedData.ts";
import { all, first } from "../store/rows.ts";

const SOLD = `coalesce(sum(a.tokens + (SELECT coalesce(sum(p.tokens), 0) FROM pass AS p
  WHERE p.agreement_id = a.agreement_id AND p.pass > a.passes)), 0)`;

/** Tokens sold of an adapter, over all its agreements; of one buyer when given. */
export function tokensSold(database: DatabaseSync, adapterId: Hex, buyer?: Address): number {
  const ofBuyer = buyer === undefined ? "" : "AND a.buyer = ?";
  const sql = `SELECT ${SOLD} AS tokens FROM agreement AS a WHERE a.adapter_id = ? ${ofBuyer}`;
  const values = buyer === undefined ? [adapterId] : [adapterId, buyer];
  return first<{ tokens: number }>(database, sql, ...values)!.tokens;
}

export interface BuyerSales {
  buyer: Address;
  agreements: number;
  tokensSold: number;
}

/** The buyers of an adapter, those who bought most first. */
export function salesByBuyer(database: DatabaseSync, adapterId: Hex): BuyerSales[] {
  return all<{ buyer: Address; agreements: number; tokens: number }>(
    database,
    `SELECT a.buyer AS buyer, count(*) AS agreements, ${SOLD} AS tokens FROM agreement AS a
     WHERE a.adapter_id = ? GROUP BY a.buyer ORDER BY tokens DESC, a.buyer`,
    adapterId,
  ).map(({ buyer, agreements, tokens }) => ({ buyer, agreements, tokensSold: tokens }));
}
