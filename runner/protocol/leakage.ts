/**
 * How much of an adapter the tokens sold give away (protocol 7), what they should cost, and the rank of the activations
 * they showed. Both parties compute with it.
 */
import { DeltapayError } from "./errors.ts";
import type { AdapterLayout } from "./layout.ts";

/** `ratio` 1: about as many tokens as a buyer who chooses them needs to recover the most exposed module. */
export interface Leakage {
  tokensSold: number;
  /** Half the narrowest input. */
  dInHalf: number;
  ratio: number;
  /** Rank of that module's X so far; null when it is too wide to be tracked. */
  rank: number | null;
}

/** Index of the module with the narrowest input: the first to be given away. */
export function mostExposedModule(layout: Pick<AdapterLayout, "modules">): number {
  return layout.modules.reduce((best, { dIn }, m) => (dIn < layout.modules[best]!.dIn ? m : best), 0);
}

/** Tokens from which a buyer who chooses its inputs recovers the most exposed module, up to sign and order. */
export function extractionTokens(layout: Pick<AdapterLayout, "modules">): number {
  return Math.ceil(layout.modules[mostExposedModule(layout)]!.dIn / 2);
}

/**
 * Least price at which the tokens that give the adapter away bring in what it is worth. A cap does not lower it: a buyer
 * opens the next agreement, or is somebody else.
 * @param worth smallest units of the payment token
 */
export function leastPrice(layout: Pick<AdapterLayout, "modules">, worth: bigint): bigint {
  const tokens = BigInt(extractionTokens(layout));
  return (worth + tokens - 1n) / tokens;
}

/** The leakage after `tokensSold` tokens. */
export function leakageOf(
  layout: Pick<AdapterLayout, "modules">,
  tokensSold: number,
  rank: number | null,
): Leakage {
  const dInHalf = layout.modules[mostExposedModule(layout)]!.dIn / 2;
  return { tokensSold, dInHalf, ratio: tokensSold / dInHalf, rank };
}

/** Largest prime below 2^21: products of residues below 2^20 stay exact over 2^13 additions. */
const PRIME = 2097143;
const HALF = (PRIME - 1) / 2;
/** Widest input whose rank is tracked. */
export const MAX_TRACKED_WIDTH = 4096;

/** The residue in (-PRIME/2, PRIME/2); exact for |value| < 2^53. */
function residue(value: number): number {
  const rest = value % PRIME;
  if (rest > HALF) return rest - PRIME;
  return rest < -HALF ? rest + PRIME : rest;
}

function inverse(value: number): number {
  let [a, b] = [((value % PRIME) + PRIME) % PRIME, PRIME];
  let [x, y] = [1, 0];
  while (a > 1) {
    const quotient = Math.floor(b / a);
    [a, b] = [b - quotient * a, a];
    [x, y] = [y - quotient * x, x];
  }
  return residue(x);
}

/** One row of the echelon form: 1 at `pivot`, zeros at the pivots of earlier rows. */
export interface RankRow {
  pivot: number;
  /** Residues in (-PRIME/2, PRIME/2), length d_in. */
  row: Int32Array;
}

/**
 * Rank of all activations seen, modulo a prime (almost always the rank itself, never more). Rows are only ever added, so
 * that a database can append them.
 */
export class RankTracker {
  readonly #width: number;
  readonly #rows: RankRow[];

  /** @throws DeltapayError `session/bad-state` when stored rows have another width */
  constructor(width: number, rows: readonly RankRow[] = []) {
    if (rows.some(({ row }) => row.length !== width))
      throw new DeltapayError("session/bad-state", "the stored rank rows do not fit the adapter", {
        field: "rank",
      });
    this.#width = width;
    this.#rows = [...rows];
  }

  /** Null when the width is beyond MAX_TRACKED_WIDTH. */
  get rank(): number | null {
    return this.#width > MAX_TRACKED_WIDTH ? null : this.#rows.length;
  }

  /** Takes in T x width activations; returns the rows that became part of the echelon form. */
  add(X: Int16Array): RankRow[] {
    const before = this.#rows.length;
    if (this.#width > MAX_TRACKED_WIDTH) return [];
    for (let at = 0; at < X.length && this.#rows.length < this.#width; at += this.#width)
      this.#addRow(X.subarray(at, at + this.#width));
    return this.#rows.slice(before);
  }

  #addRow(x: Int16Array): void {
    const rest = Float64Array.from(x);
    for (const { pivot, row } of this.#rows) {
      const factor = residue(rest[pivot]!);
      if (factor === 0) continue;
      for (let i = 0; i < rest.length; i++) rest[i]! -= factor * row[i]!;
    }
    const pivot = rest.findIndex((value) => residue(value) !== 0);
    if (pivot < 0) return;
    const scale = inverse(residue(rest[pivot]!));
    this.#rows.push({ pivot, row: Int32Array.from(rest, (value) => residue(residue(value) * scale)) });
  }
}
