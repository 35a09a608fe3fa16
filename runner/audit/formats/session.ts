/** Transcript, folding and statements (docs/protocol.md 7 and 8), from what travelled and the commitments. */
import { fromHex, type Hex, u32 } from "../primitives/bytes.ts";
import { combine, coordinates, modulo } from "../primitives/curve.ts";
import { sha, wide, xof } from "../primitives/hashes.ts";
import type { CommitKey } from "./commitKey.ts";
import type { CommittedModule } from "./commitments.ts";
import type { Module } from "./manifest.ts";
import type { Statement } from "./messages.ts";
import type { Opening } from "./openingFile.ts";
import type { Pass } from "./passFile.ts";

export const firstHead = (agreementId: Hex): Uint8Array => sha("transcript", fromHex(agreementId, 32));

/** Hash of what one module read and answered. */
export function ioHash(
  salt: Uint8Array,
  m: number,
  tokens: number,
  X: Uint8Array,
  Y: Uint8Array,
): Uint8Array {
  return sha("io", salt, u32(m), u32(tokens), X, Y);
}

export function nextHead(head: Uint8Array, { salt, tokens, modules }: Pass): Uint8Array {
  const hashes = modules.map(({ bytesX, bytesY }, m) => ioHash(salt, m, tokens, bytesX, bytesY));
  return sha("head", head, ...hashes);
}

/** rho: one weight a token. */
export const foldWeights = (head: Uint8Array, m: number, tokens: number): bigint[] =>
  xof(sha("fold", head, u32(m)), tokens);

/** Adds Σ_t weight_t · row_t to the sums. */
export function addRows(sums: bigint[], rows: Int16Array | Float64Array, weights: readonly bigint[]): void {
  const width = sums.length;
  for (const [t, weight] of weights.entries())
    for (let i = 0; i < width; i++) {
      const value = rows[t * width + i]!;
      if (value !== 0) sums[i] = sums[i]! + weight * BigInt(value);
    }
}

export const statementBlind = (salt: Uint8Array, head: Uint8Array, group: number): bigint =>
  wide("statement-blind", salt, head, u32(group));

/** delta of each module. */
export function deltaWeights(head: Uint8Array, modules: readonly Module[]): bigint[][] {
  const stream = xof(
    sha("delta", head),
    modules.reduce((sum, { dOut }) => sum + dOut, 0),
  );
  let at = 0;
  return modules.map(({ dOut }) => {
    at += dOut;
    return stream.slice(at - dOut, at);
  });
}

/** ŷ of each group. */
export function foldedAnswers(
  delta: readonly bigint[][],
  opening: Pick<Opening, "yBar">,
  modules: readonly Module[],
  groups: number,
): bigint[] {
  const sums = new Array<bigint>(groups).fill(0n);
  for (const [m, { group }] of modules.entries())
    for (const [j, weight] of delta[m]!.entries()) sums[group]! += weight * opening.yBar[m]![j]!;
  return sums.map(modulo);
}

/** V of one group from the commitments, as the buyer computes it. */
export function statementOf(
  group: number,
  parts: {
    key: CommitKey;
    modules: readonly Module[];
    committed: readonly CommittedModule[];
    opening: Opening;
    delta: readonly bigint[][];
    yHat: readonly bigint[];
  },
): Statement {
  const { key, modules, committed, opening, delta, yHat } = parts;
  const own = [...modules.keys()].filter((m) => modules[m]!.group === group);
  // not by push(...): as arguments the rows of a module as wide as a vocabulary are too many
  const bases = own.flatMap((m) => [...committed[m]!.A.points, ...committed[m]!.B.points]);
  const scalars = own.flatMap((m) => [...opening.xBar[m]!, ...delta[m]!]);
  const sum = combine([key.I, key.Z, ...bases], [yHat[group]!, opening.t[group]!, ...scalars]);
  return coordinates(key.ic0.add(sum));
}
