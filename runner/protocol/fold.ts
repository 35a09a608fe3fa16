/**
 * Folding: all tokens of a session become one x-bar and one y-bar a module (protocol 5.2).
 *
 * x-bar_m = sum_t rho_t x_t and y-bar_m likewise, as signed integers of about 143 + log2(tokens) bits. The sums run in
 * float64 limbs, exact below 2^53, and are carried into BigInt once a pass.
 */

import { encodeActivations, encodeAnswers } from "./encoding.ts";
import { DeltapayError } from "./errors.ts";
import type { AdapterLayout } from "./layout.ts";
import { finish } from "./steps.ts";
import { foldWeights, initialHead, ioHash, nextHead } from "./transcript.ts";

const LIMB_BITS = 16;
const LIMBS = 128 / LIMB_BITS;
/** Values up to 2^53 are split at this bit, so that limb * part < 2^43 and 1024 of them add up exactly. */
const SPLIT = 2 ** 27;
const TOKENS_AT_ONCE = 1024;
/** Values folded between two pauses: some milliseconds. */
const VALUES_AT_ONCE = 2 ** 18;

/** One pass, complete: X (T x dIn) and Y (T x dOut) of every module in manifest order. */
export interface Pass {
  passSalt: Uint8Array;
  tokens: number;
  X: readonly Int16Array[];
  Y: readonly Float64Array[];
}

/** What a party keeps between passes; everything a receipt is computed from. */
export interface SessionState {
  passes: number;
  tokens: number;
  head: Uint8Array;
  /** Salt of the last pass; empty before the first. */
  lastSalt: Uint8Array;
  /** x-bar per module, length dIn. */
  xBar: bigint[][];
  /** y-bar per module, length dOut. */
  yBar: bigint[][];
}

/** The state before the first pass. */
export function initialState(layout: AdapterLayout, agreementId: Uint8Array): SessionState {
  return {
    passes: 0,
    tokens: 0,
    head: initialHead(agreementId),
    lastSalt: new Uint8Array(0),
    xBar: layout.modules.map((module) => new Array<bigint>(module.dIn).fill(0n)),
    yBar: layout.modules.map((module) => new Array<bigint>(module.dOut).fill(0n)),
  };
}

/** The state after one more pass. Pure: the given state is left as it was, so a crash between two steps loses nothing. */
export function addPass(layout: AdapterLayout, state: SessionState, pass: Pass): SessionState {
  return finish(passSteps(layout, state, pass));
}

/** As `addPass`, pausing every few milliseconds so that a caller can do other work meanwhile. */
export function* passSteps(
  layout: AdapterLayout,
  state: SessionState,
  pass: Pass,
): Generator<void, SessionState> {
  const { passSalt, tokens } = pass;
  if (tokens < 1)
    throw new DeltapayError("session/bad-pass", "a pass has at least one token", { field: "tokens" });
  const hashes: Uint8Array[] = [];
  for (const [m, module] of layout.modules.entries()) {
    const X = pass.X[m];
    const Y = pass.Y[m];
    if (X?.length !== tokens * module.dIn || Y?.length !== tokens * module.dOut)
      throw new DeltapayError("session/bad-pass", `'${module.name}' is missing or has another size`, {
        field: module.name,
      });
    hashes.push(ioHash(passSalt, m, tokens, encodeActivations(X), encodeAnswers(Y)));
    yield;
  }
  const head = nextHead(state.head, hashes);
  const xBar: bigint[][] = [];
  const yBar: bigint[][] = [];
  for (const [m, { dIn, dOut }] of layout.modules.entries()) {
    const rho = foldWeights(head, m, tokens);
    xBar.push(yield* foldSteps(state.xBar[m]!, pass.X[m]!, rho, dIn));
    yBar.push(yield* foldSteps(state.yBar[m]!, pass.Y[m]!, rho, dOut));
  }
  return {
    passes: state.passes + 1,
    tokens: state.tokens + tokens,
    head,
    lastSalt: passSalt,
    xBar,
    yBar,
  };
}

/** sum + sum_t rho_t rows_t; rows is T x width of integers below 2^53, rho a 16T-byte stream. Returns a new array. */
export function foldInto(
  sum: readonly bigint[],
  rows: Int16Array | Float64Array,
  rho: Uint8Array,
  width: number,
): bigint[] {
  return finish(foldSteps(sum, rows, rho, width));
}

function* foldSteps(
  sum: readonly bigint[],
  rows: Int16Array | Float64Array,
  rho: Uint8Array,
  width: number,
): Generator<void, bigint[]> {
  const limbs = new Uint16Array(rho.length / 2);
  const view = new DataView(rho.buffer, rho.byteOffset, rho.byteLength);
  for (let i = 0; i < limbs.length; i++) limbs[i] = view.getUint16(2 * i, true);
  const tokens = rho.length / 16;
  let out = sum as bigint[];
  for (let first = 0; first < tokens; first += TOKENS_AT_ONCE) {
    const last = Math.min(tokens, first + TOKENS_AT_ONCE);
    out =
      rows instanceof Int16Array
        ? carry(out, yield* weighted(rows, limbs, first, last, width), 0n)
        : yield* carrySplit(out, rows, limbs, first, last, width);
  }
  return out;
}

function* carrySplit(
  sum: readonly bigint[],
  rows: Float64Array,
  limbs: Uint16Array,
  first: number,
  last: number,
  width: number,
): Generator<void, bigint[]> {
  const high = new Float64Array((last - first) * width);
  const low = new Float64Array(high.length);
  for (let i = 0; i < high.length; i++) {
    const value = rows[first * width + i]!;
    const top = Math.floor(value / SPLIT);
    high[i] = top;
    low[i] = value - top * SPLIT;
  }
  const part = limbs.subarray(first * LIMBS, last * LIMBS);
  const withLow = carry(sum, yield* weighted(low, part, 0, last - first, width), 0n);
  return carry(withLow, yield* weighted(high, part, 0, last - first, width), 27n);
}

/** For each limb l and column j: sum over tokens of limb_l(rho_t) * rows[t][j], exact in float64. */
function* weighted(
  rows: Int16Array | Float64Array,
  limbs: Uint16Array,
  first: number,
  last: number,
  width: number,
): Generator<void, Float64Array> {
  const sums = new Float64Array(LIMBS * width);
  const atOnce = Math.max(1, Math.floor(VALUES_AT_ONCE / width));
  for (let from = first; from < last; from += atOnce) {
    addWeighted(sums, rows, limbs, from, Math.min(last, from + atOnce), width);
    yield;
  }
  return sums;
}

function addWeighted(
  sums: Float64Array,
  rows: Int16Array | Float64Array,
  limbs: Uint16Array,
  from: number,
  to: number,
  width: number,
): void {
  for (let t = from; t < to; t++) {
    const row = rows.subarray(t * width, (t + 1) * width);
    for (let l = 0; l < LIMBS; l++) {
      const weight = limbs[t * LIMBS + l]!;
      const at = l * width;
      for (let j = 0; j < width; j++) sums[at + j]! += weight * row[j]!;
    }
  }
}

function carry(sum: readonly bigint[], sums: Float64Array, shift: bigint): bigint[] {
  const width = sum.length;
  const out = new Array<bigint>(width);
  for (let j = 0; j < width; j++) {
    let value = 0n;
    for (let l = LIMBS - 1; l >= 0; l--) value = (value << 16n) + BigInt(sums[l * width + j]!);
    out[j] = sum[j]! + (value << shift);
  }
  return out;
}
