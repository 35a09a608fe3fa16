/**
 * The answers of one module must be one linear map of its activations, whatever the weights are. Rows [x | y] that break
 * this point to the token: used when a transcript is not the one signed, to say where it was altered.
 */

/** A prime below 2^26, so that products of two residues are exact in float64. */
const PRIME = 67_108_859;

export interface Rows {
  /** T x dIn. */
  X: Int16Array;
  /** T x dOut. */
  Y: Float64Array;
}

const residue = (value: number): number => ((value % PRIME) + PRIME) % PRIME;

function inverse(value: number): number {
  let [result, base, exponent] = [1, value, PRIME - 2];
  while (exponent > 0) {
    if (exponent & 1) result = (result * base) % PRIME;
    base = (base * base) % PRIME;
    exponent = Math.floor(exponent / 2);
  }
  return result;
}

/** [x | y·w] mod PRIME for random w: one column stands for all answers. */
function reducedRows(parts: readonly Rows[], dIn: number, dOut: number): Float64Array[] {
  const w = Array.from({ length: dOut }, () => Math.floor(Math.random() * PRIME));
  return parts.flatMap(({ X, Y }) =>
    Array.from({ length: X.length / dIn }, (_, t) => {
      const row = new Float64Array(dIn + 1);
      for (let i = 0; i < dIn; i++) row[i] = residue(X[t * dIn + i]!);
      for (let j = 0; j < dOut; j++) row[dIn] = (row[dIn]! + residue(Y[t * dOut + j]!) * w[j]!) % PRIME;
      return row;
    }),
  );
}

/** Takes multiples of the basis off the row; its first column that is not zero, or dIn. */
function reduce(row: Float64Array, basis: readonly (Float64Array | undefined)[], dIn: number): number {
  for (let i = 0; i < dIn; i++) {
    const factor = row[i]!;
    if (factor === 0) continue;
    const pivot = basis[i];
    if (pivot === undefined) return i;
    for (let k = i; k <= dIn; k++) row[k] = residue(row[k]! - ((factor * pivot[k]!) % PRIME));
  }
  return dIn;
}

interface Elimination {
  /** Tokens whose answers contradict those before them. */
  odd: number[];
  /** Tokens that follow from others and so could be compared. */
  redundant: number;
}

/** Takes tokens in this order into a basis. */
function eliminate(rows: readonly Float64Array[], order: readonly number[], dIn: number): Elimination {
  const basis: (Float64Array | undefined)[] = new Array(dIn).fill(undefined);
  const odd: number[] = [];
  let redundant = 0;
  for (const t of order) {
    const row = rows[t]!.slice();
    const at = reduce(row, basis, dIn);
    if (at < dIn) {
      const scale = inverse(row[at]!);
      for (let k = at; k <= dIn; k++) row[k] = (row[k]! * scale) % PRIME;
      basis[at] = row;
      continue;
    }
    redundant++;
    if (row[dIn] !== 0) odd.push(t);
  }
  return { odd, redundant };
}

/**
 * Tokens, counted over all parts, whose answers are not those of the linear map that the others agree on.
 * @returns empty when all agree, or when too few tokens follow from others to tell
 */
export function oddTokens(parts: readonly Rows[], dIn: number, dOut: number): number[] {
  const rows = reducedRows(parts, dIn, dOut);
  const forth = rows.map((_, t) => t);
  // An odd token taken early enters the basis and makes others look odd; taken late it stands out alone.
  const runs = [forth, forth.toReversed()].map((order) => eliminate(rows, order, dIn).odd);
  const suspects = runs.sort((a, b) => a.length - b.length)[0]!;
  if (suspects.length === 0) return [];
  const others = forth.filter((t) => !suspects.includes(t));
  const rest = eliminate(rows, others, dIn);
  return rest.odd.length === 0 && rest.redundant > suspects.length ? suspects.sort((a, b) => a - b) : [];
}
