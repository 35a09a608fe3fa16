/**
 * Pedersen commitments to the columns of A and the rows of B over a key's bases (protocol 4).
 *
 * CA_i = sum_k A_q[k,i] H_{o+k} + u_i Z and CB_j = sum_k B_q[j,k] S_{o+k} + u'_j Z. The weights are small and the
 * bases fixed, so tables of 127 multiples a slot and byte windows of Z replace scalar multiplication. The tables stay in
 * the curve's WASM memory: copying points across the border costs more than adding them.
 */
import { concatBytes, fromHex, type Hex, u32 } from "./bytes.ts";
import { type Curve, decodePoints, POINT_BYTES, pointAt } from "./curve.ts";
import { DeltapayError } from "./errors.ts";
import { wide } from "./hash.ts";
import type { CommitKey } from "./key.ts";
import type { ModuleLayout } from "./layout.ts";
import { TAGS } from "./tags.ts";

/** A commit key's points, decoded and checked; packed inner points. */
export interface KeyPoints {
  size: number;
  ic0: Uint8Array;
  yhat: Uint8Array;
  H: Uint8Array;
  S: Uint8Array;
  Z: Uint8Array;
}

/** Quantised weights of a module: Aq r x dIn, Bq dOut x r, row-major. Secret. */
export interface ModuleWeights {
  Aq: Int8Array;
  Bq: Int8Array;
}

/** Blinds of a module's commitments: u per column of A, v (u' in the protocol) per row of B. Secret. */
export interface ModuleBlinds {
  u: bigint[];
  v: bigint[];
}

/** Packed inner points: CA dIn of them, CB dOut. */
export interface ModuleCommitments {
  CA: Uint8Array;
  CB: Uint8Array;
}

/**
 * Decodes and checks the points of a commit key: on the curve, no infinity (nothing would be bound), none repeated.
 * @throws DeltapayError `point/...`, `key/repeated-base`
 */
export async function decodeKeyPoints(curve: Curve, key: CommitKey): Promise<KeyPoints> {
  const all = concatBytes(key.ic0, key.bases);
  const points = await decodePoints(curve, all, "key points");
  const seen = new Set<string>();
  for (let i = 0; i < all.length / POINT_BYTES; i++) {
    const x = String.fromCharCode(...all.subarray(i * POINT_BYTES, i * POINT_BYTES + 32));
    // a point and its negative share x: either repeats a base
    if (seen.has(x))
      throw new DeltapayError("key/repeated-base", "two bases of the key are equal or opposite", {
        field: i === 0 ? "IC_0" : `bases[${i - 1}]`,
      });
    seen.add(x);
  }
  const range = (from: number, count: number): Uint8Array =>
    points.slice(from * POINT_BYTES, (from + count) * POINT_BYTES);
  const L = key.size;
  return {
    size: L,
    ic0: range(0, 1),
    yhat: range(1, 1),
    H: range(2, L),
    S: range(2 + L, L),
    Z: range(2 + 2 * L, 1),
  };
}

/** u = wide("commit-blind", seed, vkHash, adapterSalt, side, m, i); side 0 is A, 1 is B. One fresh seed a registration. */
export function commitBlinds(
  seed: Uint8Array,
  vkHash: Hex,
  adapterSalt: Uint8Array,
  m: number,
  shape: { dIn: number; dOut: number },
): ModuleBlinds {
  const vk = fromHex(vkHash, 32);
  const draw = (side: number, count: number): bigint[] =>
    Array.from({ length: count }, (_, i) =>
      wide(TAGS.commitBlind, seed, vk, adapterSalt, u32(side), u32(m), u32(i)),
    );
  return { u: draw(0, shape.dIn), v: draw(1, shape.dOut) };
}

/** Commits modules over one key; builds the table of Z once. */
export class Committer {
  readonly #curve: Curve;
  readonly #key: KeyPoints;
  readonly #tableZ: Uint8Array;

  private constructor(curve: Curve, key: KeyPoints, tableZ: Uint8Array) {
    this.#curve = curve;
    this.#key = key;
    this.#tableZ = tableZ;
  }

  static async create(curve: Curve, key: KeyPoints): Promise<Committer> {
    return new Committer(curve, key, await windowTable(curve, key.Z));
  }

  /** Commitments of one module, as packed inner affine points. */
  async commit(
    module: ModuleLayout,
    weights: ModuleWeights,
    blinds: ModuleBlinds,
  ): Promise<ModuleCommitments> {
    const { r, dIn, slot } = module;
    const slots = (points: Uint8Array): Uint8Array =>
      points.subarray(slot * POINT_BYTES, (slot + r) * POINT_BYTES);
    return {
      CA: await this.#sums(slots(this.#key.H), (k, i) => weights.Aq[k * dIn + i]!, blinds.u),
      CB: await this.#sums(slots(this.#key.S), (k, j) => weights.Bq[j * r + k]!, blinds.v),
    };
  }

  async #sums(
    bases: Uint8Array,
    weight: (k: number, column: number) => number,
    blinds: readonly bigint[],
  ): Promise<Uint8Array> {
    const sums = new Uint8Array(blinds.length * JACOBIAN_BYTES);
    for (let i = 0; i < blinds.length; i++) sums.set(this.#curve.G1.zero, i * JACOBIAN_BYTES);
    accumulate(this.#curve, sums, this.#tableZ, (i, add) => {
      let rest = blinds[i]!;
      for (let window = 0; window < WINDOWS; window++, rest >>= 8n) {
        const digit = Number(rest & 255n);
        if (digit !== 0) add(window * 255 + digit - 1, false);
      }
    });
    const rank = bases.length / POINT_BYTES;
    for (let first = 0; first < rank; first += SLOTS_AT_ONCE) {
      const last = Math.min(rank, first + SLOTS_AT_ONCE);
      const table = await multiplesTable(
        this.#curve,
        bases.subarray(first * POINT_BYTES, last * POINT_BYTES),
      );
      accumulate(this.#curve, sums, table, (i, add) => {
        for (let k = first; k < last; k++) {
          const w = weight(k, i);
          if (w !== 0) add((k - first) * MULTIPLES + Math.abs(w) - 1, w < 0);
        }
      });
    }
    return this.#curve.G1.batchToAffine(sums);
  }
}

/** Adds table entries onto each of the packed Jacobian sums, in place, inside the curve's WASM memory. */
function accumulate(
  curve: Curve,
  sums: Uint8Array,
  table: Uint8Array,
  entriesOf: (i: number, add: (entry: number, negative: boolean) => void) => void,
): void {
  const { tm } = curve;
  const { g1m_addMixed: plus, g1m_subMixed: minus } = tm.instance.exports;
  tm.startSyncOp();
  try {
    const sum = tm.alloc(JACOBIAN_BYTES);
    const entries = tm.alloc(table.length);
    tm.setBuff(entries, table);
    const add = (entry: number, negative: boolean): void => {
      const at = entries + entry * POINT_BYTES;
      if (negative) minus(sum, at, sum);
      else plus(sum, at, sum);
    };
    for (let i = 0; i < sums.length / JACOBIAN_BYTES; i++) {
      tm.setBuff(sum, sums.subarray(i * JACOBIAN_BYTES, (i + 1) * JACOBIAN_BYTES));
      entriesOf(i, add);
      sums.set(tm.getBuff(sum, JACOBIAN_BYTES), i * JACOBIAN_BYTES);
    }
  } finally {
    tm.endSyncOp();
  }
}

const JACOBIAN_BYTES = 96;
const MULTIPLES = 127;
const WINDOWS = 32;
/** Slots whose tables are resident together: the curve's WASM memory is 1.6 MB and does not grow. */
const SLOTS_AT_ONCE = 64;

/** 1..127 times each base, affine. */
function multiplesTable(curve: Curve, bases: Uint8Array): Promise<Uint8Array> {
  const count = bases.length / POINT_BYTES;
  const rows: Uint8Array[] = [];
  for (let k = 0; k < count; k++) rows.push(multiples(curve, pointAt(bases, k), MULTIPLES));
  return curve.G1.batchToAffine(concatBytes(...rows));
}

/** digit * 256^window * base for digit 1..255, window 0..31, affine. */
function windowTable(curve: Curve, base: Uint8Array): Promise<Uint8Array> {
  const rows: Uint8Array[] = [];
  let power = base;
  for (let window = 0; window < WINDOWS; window++) {
    rows.push(multiples(curve, power, 255));
    for (let i = 0; i < 8; i++) power = curve.G1.double(power);
  }
  return curve.G1.batchToAffine(concatBytes(...rows));
}

function multiples(curve: Curve, base: Uint8Array, count: number): Uint8Array {
  const out = new Uint8Array(count * JACOBIAN_BYTES);
  let sum = curve.G1.toJacobian(base);
  for (let i = 0; i < count; i++) {
    out.set(sum, i * JACOBIAN_BYTES);
    sum = curve.G1.add(sum, base);
  }
  return out;
}
