/**
 * The statements V_g of a receipt, from both sides (protocol 5.3), and the witness of a group's proof.
 *
 * The buyer combines the registered commitments; the contributor gets the same point from h = A x-bar, s = B^T delta with
 * 2L+2 bases. What is left to prove is yhat = <s, h>.
 */
import { concatBytes, takeFrom } from "./bytes.ts";
import type { KeyPoints, ModuleBlinds, ModuleCommitments, ModuleWeights } from "./commitment.ts";
import { type Curve, encodePoint, multiExp, POINT_BYTES, packScalars, pointAt } from "./curve.ts";
import { mod } from "./field.ts";
import type { SessionState } from "./fold.ts";
import { xofAt } from "./hash.ts";
import { type AdapterLayout, modulesOfGroup, totalOutputs } from "./layout.ts";
import { deltaWeights, statementBlind } from "./transcript.ts";

/** Witness of one group's proof. Secret: about d_in of them give the adapter away. */
export interface GroupWitness {
  yhat: bigint;
  /** Length L; zero outside the group's slots. */
  h: bigint[];
  s: bigint[];
  blind: bigint;
}

/** delta as one 16-byte little-endian stream a module. */
export function deltaParts(layout: AdapterLayout, head: Uint8Array): Uint8Array[] {
  const stream = deltaWeights(head, totalOutputs(layout));
  const take = takeFrom(stream);
  return layout.modules.map(({ dOut }) => take(16 * dOut));
}

/** yhat_g = sum over the group's modules of <delta_m, y-bar_m>, mod p. */
export function foldedAnswer(
  modules: readonly number[],
  state: Pick<SessionState, "yBar">,
  delta: readonly Uint8Array[],
): bigint {
  let sum = 0n;
  for (const m of modules)
    state.yBar[m]!.forEach((y, j) => {
      sum += y * xofAt(delta[m]!, j);
    });
  return mod(sum);
}

/** sum_i CA_i of each module: lets signed x-bar be shifted into non-negative short scalars. Compute once, keep. */
export async function columnSums(
  curve: Curve,
  commitments: readonly ModuleCommitments[],
): Promise<Uint8Array[]> {
  const ones = (n: number): Uint8Array => new Uint8Array(n).fill(1);
  return Promise.all(commitments.map(({ CA }) => multiExp(curve, CA, ones(CA.length / POINT_BYTES))));
}

/**
 * The buyer's statements, one 64-byte big-endian point a group.
 * @param commitments decoded, in manifest order
 * @param sums `columnSums` of them
 */
export async function buyerStatements(
  curve: Curve,
  key: KeyPoints,
  layout: AdapterLayout,
  commitments: readonly ModuleCommitments[],
  sums: readonly Uint8Array[],
  state: SessionState,
): Promise<Uint8Array[]> {
  const delta = deltaParts(layout, state.head);
  return Promise.all(
    Array.from({ length: layout.groups }, async (_, group) => {
      const modules = modulesOfGroup(layout, group);
      const xBar = modules.flatMap((m) => state.xBar[m]!);
      const { width, offset } = shortWidth(xBar);
      const shifted = packScalars(
        xBar.map((x) => x + offset),
        width,
      );
      const join = (pick: (m: number) => Uint8Array): Uint8Array => concatBytes(...modules.map(pick));
      const tailBases = concatBytes(key.yhat, key.Z, ...modules.map((m) => curve.G1.toAffine(sums[m]!)));
      const tailScalars = [
        foldedAnswer(modules, state, delta),
        statementBlind(state.lastSalt, state.head, group),
        ...modules.map(() => mod(-offset)),
      ];
      const parts = await Promise.all([
        multiExp(
          curve,
          join((m) => commitments[m]!.CA),
          shifted,
        ),
        multiExp(
          curve,
          join((m) => commitments[m]!.CB),
          join((m) => delta[m]!),
        ),
        multiExp(curve, tailBases, packScalars(tailScalars, 32)),
      ]);
      return encodePoint(
        curve,
        parts.reduce((sum, part) => curve.G1.add(sum, part), pointAt(key.ic0, 0)),
      );
    }),
  );
}

/** Bytes and offset that make all of the signed values non-negative: |v| <= offset = 2^(8 width - 1). */
function shortWidth(values: readonly bigint[]): { width: number; offset: bigint } {
  let largest = 1n;
  for (const value of values) {
    const size = value < 0n ? -value : value;
    if (size > largest) largest = size;
  }
  const width = Math.ceil((largest.toString(2).length + 1) / 8);
  return { width, offset: 1n << BigInt(8 * width - 1) };
}

/**
 * The contributor's witness of a group: h = A x-bar, s = B^T delta, blind = <x-bar, u> + <delta, u'> + t_g.
 * @param delta `deltaParts` of the state, to be made once for many groups
 */
export function groupWitness(
  layout: AdapterLayout,
  weights: readonly ModuleWeights[],
  blinds: readonly ModuleBlinds[],
  state: SessionState,
  group: number,
  delta: readonly Uint8Array[] = deltaParts(layout, state.head),
): GroupWitness {
  const modules = modulesOfGroup(layout, group);
  const h = new Array<bigint>(layout.keySize).fill(0n);
  const s = new Array<bigint>(layout.keySize).fill(0n);
  let blind = statementBlind(state.lastSalt, state.head, group);
  for (const m of modules) {
    const { dIn, dOut, r, slot } = layout.modules[m]!;
    const { Aq, Bq } = weights[m]!;
    const xBar = state.xBar[m]!;
    const d = Array.from({ length: dOut }, (_, j) => xofAt(delta[m]!, j));
    for (let k = 0; k < r; k++) {
      let hk = 0n;
      let sk = 0n;
      for (let i = 0; i < dIn; i++) hk += BigInt(Aq[k * dIn + i]!) * xBar[i]!;
      for (let j = 0; j < dOut; j++) sk += BigInt(Bq[j * r + k]!) * d[j]!;
      h[slot + k] = mod(hk);
      s[slot + k] = mod(sk);
    }
    for (let i = 0; i < dIn; i++) blind += xBar[i]! * blinds[m]!.u[i]!;
    for (let j = 0; j < dOut; j++) blind += d[j]! * blinds[m]!.v[j]!;
  }
  return { yhat: foldedAnswer(modules, state, delta), h, s, blind: mod(blind) };
}

/** V = IC_0 + yhat I + sum h_k H_k + sum s_k S_k + blind Z: the contributor's side, 64 bytes big-endian. */
export async function witnessStatement(
  curve: Curve,
  key: KeyPoints,
  witness: GroupWitness,
): Promise<Uint8Array> {
  const V = await multiExp(
    curve,
    concatBytes(key.yhat, key.H, key.S, key.Z),
    packScalars([witness.yhat, ...witness.h, ...witness.s, witness.blind], 32),
  );
  return encodePoint(curve, curve.G1.add(V, key.ic0));
}
