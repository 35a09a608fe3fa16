/** Rows of contributor.db by the types of their columns. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";

/** All rows of a query. The caller names the type its columns have by the (STRICT) schema. */
export function all<Row>(database: DatabaseSync, sql: string, ...parameters: SQLInputValue[]): Row[] {
  return database.prepare(sql).all(...parameters) as unknown as Row[];
}

/** The first row, if any. */
export function first<Row>(
  database: DatabaseSync,
  sql: string,
  ...parameters: SQLInputValue[]
): Row | undefined {
  return database.prepare(sql).get(...parameters) as unknown as Row | undefined;
}

/** Runs a statement; the number of rows it changed. */
export function run(database: DatabaseSync, sql: string, ...parameters: SQLInputValue[]): number {
  return Number(database.prepare(sql).run(...parameters).changes);
}

/** Unix seconds of this machine. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
