/** Ranks of activations on disk: rows are added as they come and dropped when a module has nothing left to hide. */
import type { DatabaseSync } from "node:sqlite";
import type { Hex } from "../../protocol/bytes.ts";
import { type RankRow, RankTracker } from "../../protocol/leakage.ts";
import type { Address } from "../../protocol/typedData.ts";
import { all, first, run } from "../store/rows.ts";

/** Whose activations: one buyer's, or `""`: those of all. */
export type RankScope = { adapterId: Hex; buyer: Address | ""; module: number };

export class RankStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  rank({ adapterId, buyer, module }: RankScope): number {
    const sql = "SELECT rank FROM rank_scope WHERE adapter_id = ? AND buyer = ? AND module = ?";
    return first<{ rank: number }>(this.#database, sql, adapterId, buyer, module)?.rank ?? 0;
  }

  tracker(scope: RankScope, width: number): RankTracker {
    const rows = all<{ pivot: number; row: Uint8Array }>(
      this.#database,
      `SELECT pivot, row FROM rank_row WHERE scope =
         (SELECT id FROM rank_scope WHERE adapter_id = ? AND buyer = ? AND module = ?) ORDER BY id`,
      scope.adapterId,
      scope.buyer,
      scope.module,
    );
    return new RankTracker(
      width,
      rows.map(({ pivot, row }) => ({ pivot, row: new Int32Array(row.slice().buffer) })),
    );
  }

  /**
   * Adds rows that follow `before` earlier ones.
   * @returns false, and nothing is added, when another process added some meanwhile
   */
  add(scope: RankScope, width: number, before: number, rows: readonly RankRow[]): boolean {
    const { adapterId, buyer, module } = scope;
    const key = [adapterId, buyer, module] as const;
    if (this.rank(scope) !== before) return false;
    const after = before + rows.length;
    const { id } = first<{ id: number }>(
      this.#database,
      `INSERT INTO rank_scope (adapter_id, buyer, module, rank) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (adapter_id, buyer, module) DO UPDATE SET rank = ?4 RETURNING id`,
      ...key,
      after,
    )!;
    if (after === width) {
      run(this.#database, "DELETE FROM rank_row WHERE scope = ?", id);
      return true;
    }
    for (const { pivot, row } of rows)
      run(
        this.#database,
        "INSERT INTO rank_row (scope, pivot, row) VALUES (?, ?, ?)",
        id,
        pivot,
        new Uint8Array(row.buffer, row.byteOffset, row.byteLength),
      );
    return true;
  }
}
