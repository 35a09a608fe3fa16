/**
 * The patient buyer: recovers a module's weights from exact answers to inputs of its choice (docs/leakage.md).
 *
 * Two columns of A fit into one token, as the digits of a_i + 255 * a_j. The answers generate the lattice of B's columns,
 * whose shortest vectors are those columns; each answer then tells its two digits.
 */
import { latticeBasis, reduceBasis, type Vector } from "./lattice.ts";

/** Digits lie in [-127, 127]. */
const BASE = 255;
const MAX_DIGIT = 127;

/** Answers Y = B_q * A_q * X for `tokens` x dIn activations, tokens x dOut. All that the buyer has. */
export type Oracle = (X: Int16Array, tokens: number) => Promise<Float64Array>;

export interface Recovered {
  /** r rows of dIn. */
  A: number[][];
  /** r columns of dOut. Row k of A and column k of B are the adapter's own up to order and a common sign. */
  B: number[][];
  tokensUsed: number;
}

/** One token for every two columns of A. */
function packedInputs(dIn: number): { X: Int16Array; tokens: number } {
  const tokens = Math.ceil(dIn / 2);
  const X = new Int16Array(tokens * dIn);
  for (let i = 0; i < dIn; i++) X[Math.floor(i / 2) * dIn + i] = i % 2 === 0 ? 1 : BASE;
  return { X, tokens };
}

/**
 * Recovers A_q and B_q of one module.
 * @param shape as the manifest states it
 * @returns undefined when the answers are not of that rank, or the reduced basis is not made of B's own columns (which are then
 * far from orthogonal)
 */
export async function recoverModule(
  ask: Oracle,
  { dIn, dOut, r }: { dIn: number; dOut: number; r: number },
): Promise<Recovered | undefined> {
  const { X, tokens } = packedInputs(dIn);
  const Y = await ask(X, tokens);
  const answers = Array.from({ length: tokens }, (_, t) => Y.subarray(t * dOut, (t + 1) * dOut));
  const basis = latticeBasis(answers.map((y) => Array.from(y, BigInt)));
  if (basis.length > r) return undefined;
  const B = reduceBasis(basis).map((column) => column.map(Number));
  const coordinates = coordinatesIn(B);
  const A = B.map(() => new Array<number>(dIn).fill(0));
  for (const [t, y] of answers.entries())
    for (const [k, h] of coordinates(y).entries()) {
      const low = ((((h + MAX_DIGIT) % BASE) + BASE) % BASE) - MAX_DIGIT;
      A[k]![2 * t] = low;
      if (2 * t + 1 < dIn) A[k]![2 * t + 1] = (h - low) / BASE;
    }
  const isAdapter = [...A, ...B].every((row) => row.every((value) => Math.abs(value) <= MAX_DIGIT));
  return isAdapter ? { A, B, tokensUsed: tokens } : undefined;
}

/** The integers h with y = sum h_k * columns[k], by Cramer's rule on the Gram matrix: exact. */
function coordinatesIn(columns: readonly number[][]): (y: Float64Array) => number[] {
  const exact: Vector[] = columns.map((column) => column.map(BigInt));
  const gram = exact.map((a) => exact.map((b) => a.reduce((sum, value, i) => sum + value * b[i]!, 0n)));
  const whole = determinant(gram);
  return (y) => {
    const right = exact.map((column) => column.reduce((sum, value, i) => sum + value * BigInt(y[i]!), 0n));
    return gram.map((_, k) => {
      const replaced = gram.map((row, i) => row.map((value, j) => (j === k ? right[i]! : value)));
      return Number(determinant(replaced) / whole);
    });
  };
}

/** Bareiss elimination. */
function determinant(matrix: readonly bigint[][]): bigint {
  const rows = matrix.map((row) => [...row]);
  let [sign, previous] = [1n, 1n];
  for (let k = 0; k < rows.length - 1; k++) {
    const pivot = rows.findIndex((row, i) => i >= k && row[k] !== 0n);
    if (pivot < 0) return 0n;
    if (pivot !== k) {
      [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
      sign = -sign;
    }
    for (let i = k + 1; i < rows.length; i++)
      for (let j = k + 1; j < rows.length; j++)
        rows[i]![j] = (rows[i]![j]! * rows[k]![k]! - rows[i]![k]! * rows[k]![j]!) / previous;
    previous = rows[k]![k]!;
  }
  return sign * rows.at(-1)!.at(-1)!;
}
