/**
 * Prepared powers of tau of one power from a public seed: for dev keys only, whoever knows tau can forge proofs.
 *
 * Of the Lagrange sections (12-15) only those of the top power are filled, as one key needs no other; a circuit of a
 * smaller domain would get a key of points at infinity from it, which `checkKeyPoints` refuses.
 */
import type { Curve, Group } from "ffjavascript";
import { u32, uintLE } from "../protocol/bytes.ts";
import { wide } from "../protocol/hash.ts";
import { type SectionFile, writeSections } from "./sections.ts";
import { KEY_TAGS } from "./tags.ts";

/** Called on long work: what is being done, how much of it is done, out of how much. */
export type OnProgress = (step: string, done: number, total: number) => void;

/** The public seed of every dev key. */
export const DEV_SEED = "deltapay dev keys: everyone knows tau and delta";

/** Points made between two reports of progress. */
const CHUNK = 1024;

export interface DevSecrets {
  tau: bigint;
  alpha: bigint;
  beta: bigint;
}

/** tau, alpha and beta of the dev key of size L. */
export function devSecrets(size: number): DevSecrets {
  const seed = new TextEncoder().encode(DEV_SEED);
  const scalar = (name: string): bigint => wide(name, seed, u32(size));
  return {
    tau: scalar(KEY_TAGS.devTau),
    alpha: scalar(KEY_TAGS.devAlpha),
    beta: scalar(KEY_TAGS.devBeta),
  };
}

/** scalar * generator by a table of 32 byte-wide windows. */
function fixedBase(curve: Curve, group: Group): (scalar: Uint8Array) => Uint8Array {
  const windows: Uint8Array[][] = [];
  let base = group.g;
  for (let window = 0; window < 32; window++) {
    const row = [group.zeroAffine];
    let multiple = group.zero;
    for (let k = 1; k < 256; k++) {
      multiple = group.add(multiple, base);
      row.push(group.toAffine(multiple));
    }
    windows.push(row);
    for (let k = 0; k < 8; k++) base = group.double(base);
  }
  const bytes = new Uint8Array(32);
  return (scalar) => {
    curve.Fr.toRprLE(bytes, 0, scalar);
    let sum = group.zero;
    for (let window = 0; window < 32; window++)
      if (bytes[window] !== 0) sum = group.add(sum, windows[window]![bytes[window]!]!);
    return sum;
  };
}

/** first, first * tau, first * tau^2, ... */
function powers(curve: Curve, tau: Uint8Array, count: number, first: Uint8Array): Uint8Array[] {
  const out = [first];
  while (out.length < count) out.push(curve.Fr.mul(out[out.length - 1]!, tau));
  return out;
}

/** The Lagrange basis of the domain 2^power evaluated at tau: L_i = w^i (tau^n - 1) / (n (tau - w^i)). */
function lagrangeAt(curve: Curve, tau: Uint8Array, power: number): Uint8Array[] {
  const { Fr } = curve;
  const count = 2 ** power;
  const roots = powers(curve, Fr.w[power]!, count, Fr.one);
  let tauToCount = tau;
  for (let k = 0; k < power; k++) tauToCount = Fr.square(tauToCount);
  const factor = Fr.mul(Fr.sub(tauToCount, Fr.one), Fr.inv(Fr.e(count)));
  return roots.map((root) => Fr.mul(Fr.mul(factor, root), Fr.inv(Fr.sub(tau, root))));
}

/** The top power's points behind zeros for every lower one. */
function topPower(points: Uint8Array, pointBytes: number): Uint8Array {
  const out = new Uint8Array(2 * points.length - pointBytes);
  out.set(points, points.length - pointBytes);
  return out;
}

function ptauHeader(curve: Curve, power: number): Uint8Array {
  const out = new Uint8Array(44);
  out.set(u32(32), 0);
  out.set(uintLE(curve.q, 32), 4);
  out.set(u32(power), 36);
  out.set(u32(power), 40);
  return out;
}

/** Powers of tau and Lagrange points, counted for progress. */
class PointMaker {
  readonly #curve: Curve;
  readonly #onProgress: OnProgress;
  readonly #total: number;
  readonly #times: Map<Group, (scalar: Uint8Array) => Uint8Array>;
  #done = 0;

  constructor(curve: Curve, total: number, onProgress: OnProgress) {
    this.#curve = curve;
    this.#total = total;
    this.#onProgress = onProgress;
    this.#times = new Map([curve.G1, curve.G2].map((group) => [group, fixedBase(curve, group)]));
  }

  /** scalars * generator, packed affine. */
  async points(group: Group, scalars: Uint8Array[]): Promise<Uint8Array> {
    const times = this.#times.get(group)!;
    const jacobian = group.zero.length;
    const affine = group.zeroAffine.length;
    const out = new Uint8Array(scalars.length * affine);
    for (let from = 0; from < scalars.length; from += CHUNK) {
      const chunk = scalars.slice(from, from + CHUNK);
      const packed = new Uint8Array(chunk.length * jacobian);
      chunk.forEach((scalar, i) => {
        packed.set(times(scalar), i * jacobian);
      });
      out.set(await group.batchToAffine(packed), from * affine);
      this.#done += chunk.length;
      this.#onProgress("ptau", this.#done, this.#total);
    }
    return out;
  }

  /** Section 12 to 15's form of scaled Lagrange points. */
  async lagrange(group: Group, basis: Uint8Array[], factor: Uint8Array): Promise<Uint8Array> {
    const scaled = basis.map((value) => this.#curve.Fr.mul(value, factor));
    return topPower(await this.points(group, scaled), group.zeroAffine.length);
  }
}

/**
 * A prepared .ptau of exactly `power`, as snarkjs's `powersoftau prepare phase2` lays it out.
 * @param secrets tau must not be a 2^(power+1)-th root of unity, which a hash never is
 */
export async function devPtau(
  curve: Curve,
  power: number,
  secrets: DevSecrets,
  onProgress: OnProgress = () => {},
): Promise<Uint8Array> {
  const { Fr, G1, G2 } = curve;
  const count = 2 ** power;
  const [tau, alpha, beta] = [Fr.e(secrets.tau), Fr.e(secrets.alpha), Fr.e(secrets.beta)];
  const maker = new PointMaker(curve, 11 * count, onProgress);
  const basis = lagrangeAt(curve, tau, power);
  // Section 12 goes one power further: the odd points of the doubled domain become the key's section H.
  const doubled = await maker.points(G1, lagrangeAt(curve, tau, power + 1));
  const lagrange = await maker.lagrange(G1, basis, Fr.one);
  const section12 = new Uint8Array(lagrange.length + doubled.length);
  section12.set(lagrange);
  section12.set(doubled, lagrange.length);
  const file: SectionFile = {
    magic: "ptau",
    version: 1,
    sections: new Map([
      [1, ptauHeader(curve, power)],
      [2, await maker.points(G1, powers(curve, tau, 2 * count - 1, Fr.one))],
      [3, await maker.points(G2, powers(curve, tau, count, Fr.one))],
      [4, await maker.points(G1, powers(curve, tau, count, alpha))],
      [5, await maker.points(G1, powers(curve, tau, count, beta))],
      [6, await maker.points(G2, [beta])],
      [7, u32(0)],
      [12, section12],
      [13, await maker.lagrange(G2, basis, Fr.one)],
      [14, await maker.lagrange(G1, basis, alpha)],
      [15, await maker.lagrange(G1, basis, beta)],
    ]),
  };
  return writeSections(file);
}
