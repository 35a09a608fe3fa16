/** Integer lattices, exact: a basis of what many vectors span, and its reduction (Lenstra, Lenstra, Lovasz 1982). */

export type Vector = bigint[];

const dot = (a: Vector, b: Vector): bigint => a.reduce((sum, value, i) => sum + value * b[i]!, 0n);

/** a -= factor * b */
function subtract(a: Vector, factor: bigint, b: Vector): void {
  if (factor !== 0n) for (let i = 0; i < a.length; i++) a[i]! -= factor * b[i]!;
}

/** The integer nearest to numerator / denominator, denominator > 0. */
function nearest(numerator: bigint, denominator: bigint): bigint {
  const doubled = 2n * numerator + denominator;
  const quotient = doubled / (2n * denominator);
  return doubled < 0n && doubled % (2n * denominator) !== 0n ? quotient - 1n : quotient;
}

/** A basis of the lattice that `vectors` generate: Euclid's algorithm, coordinate by coordinate. */
export function latticeBasis(vectors: readonly Vector[]): Vector[] {
  let rest = vectors.map((vector) => [...vector]);
  const basis: Vector[] = [];
  for (let column = 0; rest.length > 0 && column < rest[0]!.length; column++) {
    const [pivot, ...others] = euclid(rest, column);
    if (pivot === undefined) continue;
    basis.push(pivot);
    rest = others;
  }
  return basis;
}

/** The same lattice with at most one vector, the first, that is not zero in `column`; undefined first when there is none. */
function euclid(vectors: Vector[], column: number): [Vector | undefined, ...Vector[]] {
  const done = vectors.filter((vector) => vector[column] === 0n);
  let open = vectors.filter((vector) => vector[column] !== 0n);
  while (open.length > 1) {
    const size = (vector: Vector): bigint => (vector[column]! < 0n ? -vector[column]! : vector[column]!);
    const pivot = open.reduce((best, vector) => (size(vector) < size(best) ? vector : best));
    for (const vector of open)
      if (vector !== pivot) subtract(vector, vector[column]! / pivot[column]!, pivot);
    done.push(...open.filter((vector) => vector[column] === 0n && vector.some((value) => value !== 0n)));
    open = open.filter((vector) => vector[column] !== 0n);
  }
  return [open[0], ...done];
}

/** Gram-Schmidt over the integers: d[i] = det of the first i Gram rows, lambda[i][j] = d[j+1] * mu[i][j]. */
function gramSchmidt(basis: readonly Vector[]): { d: bigint[]; lambda: bigint[][] } {
  const d = [1n];
  const lambda = basis.map(() => [] as bigint[]);
  for (let i = 0; i < basis.length; i++)
    for (let j = 0; j <= i; j++) {
      let u = dot(basis[i]!, basis[j]!);
      for (let k = 0; k < j; k++) u = (d[k + 1]! * u - lambda[i]![k]! * lambda[j]![k]!) / d[k]!;
      if (j < i) lambda[i]![j] = u;
      else d.push(u);
    }
  return { d, lambda };
}

/** An LLL-reduced basis (delta = 3/4), shortest first. The vectors must be independent; exact, for ranks of some tens. */
export function reduceBasis(basis: readonly Vector[]): Vector[] {
  const reduced = basis.map((vector) => [...vector]);
  for (let k = 1; k < reduced.length; ) {
    for (let j = k - 1; j >= 0; j--) {
      const { d, lambda } = gramSchmidt(reduced.slice(0, k + 1));
      subtract(reduced[k]!, nearest(lambda[k]![j]!, d[j + 1]!), reduced[j]!);
    }
    const { d, lambda } = gramSchmidt(reduced.slice(0, k + 1));
    const swaps = 4n * (d[k + 1]! * d[k - 1]! + lambda[k]![k - 1]! ** 2n) < 3n * d[k]! ** 2n;
    if (swaps) [reduced[k - 1], reduced[k]] = [reduced[k]!, reduced[k - 1]!];
    k = swaps ? Math.max(k - 1, 1) : k + 1;
  }
  return reduced.sort((a, b) => (dot(a, a) < dot(b, b) ? -1 : 1));
}
