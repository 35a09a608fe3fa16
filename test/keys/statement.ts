/** Witnesses, statements and proofs of one small key, as the tests of circuits and keys use them. */
import { bn254 } from "@noble/curves/bn254.js";
import * as snarkjs from "snarkjs";
import { readSections, sectionOf, writeSections } from "../../runner/keys/sections.ts";
import { concatBytes, readUintLE, writeUintLE } from "../../runner/protocol/bytes.ts";
import { type Curve, decodePoints, encodePoint, multiExp, packScalars } from "../../runner/protocol/curve.ts";
import { mod, P } from "../../runner/protocol/field.ts";
import { wide } from "../../runner/protocol/hash.ts";
import type { CommitKey } from "../../runner/protocol/key.ts";

export interface Openings {
  yhat: bigint;
  h: bigint[];
  s: bigint[];
  blind: bigint;
}

/** Full-width field elements that are the same in every run. */
export function fieldElements(label: string, count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => wide("test", new TextEncoder().encode(`${label} ${i}`)));
}

export function inner(h: bigint[], s: bigint[]): bigint {
  return mod(h.reduce((sum, value, k) => sum + value * s[k]!, 0n));
}

/** True openings with the first `used` slots filled. */
export function openings(size: number, used = size): Openings {
  const fill = (label: string): bigint[] =>
    fieldElements(label, size).map((value, k) => (k < used ? value : 0n));
  const [h, s] = [fill("h"), fill("s")];
  return { yhat: inner(h, s), h, s, blind: fieldElements("blind", 1)[0]! };
}

/** The committed scalars in wire order. */
export function scalarsOf({ yhat, h, s, blind }: Openings): bigint[] {
  return [yhat, ...h, ...s, blind];
}

export async function witnessOf(wasm: Uint8Array, inputs: Openings): Promise<Uint8Array> {
  const file: snarkjs.MemFile = { type: "mem" };
  await snarkjs.wtns.calculate({ ...inputs }, wasm, file);
  return file.data!;
}

/** The witness with its wires changed. */
export function editWitness(wtns: Uint8Array, change: (wires: bigint[]) => void): Uint8Array {
  const file = readSections(wtns, "wtns", "witness");
  const body = sectionOf(file, 2);
  const wires = Array.from({ length: body.length / 32 }, (_, i) => readUintLE(body, 32 * i, 32));
  change(wires);
  const out = new Uint8Array(body.length);
  for (const [i, value] of wires.entries()) writeUintLE(out, 32 * i, 32, mod(value));
  return writeSections({ ...file, sections: new Map([...file.sections, [2, out]]) });
}

/** Whether the witness satisfies every constraint. */
export function satisfies(r1cs: Uint8Array, wtns: Uint8Array): Promise<boolean> {
  const silent = (): void => {};
  return snarkjs.wtns.check(r1cs, wtns, { debug: silent, info: silent, warn: silent, error: silent });
}

/** V = IC_0 + yhat I + sum h_k H_k + sum s_k S_k + blind Z, 64 bytes big-endian. */
export async function statementOf(curve: Curve, key: CommitKey, scalars: bigint[]): Promise<Uint8Array> {
  const points = await decodePoints(curve, concatBytes(key.ic0, key.bases), "bases");
  const sum = await multiExp(curve, points, packScalars([1n, ...scalars.map((v) => ((v % P) + P) % P)], 32));
  return encodePoint(curve, sum);
}

/** A proof alone: the public signals of a moved key are secrets. */
export async function prove(zkey: Uint8Array, wtns: Uint8Array): Promise<snarkjs.Groth16Proof> {
  const { proof } = await snarkjs.groth16.prove(zkey, wtns);
  return proof;
}

/** A point of G2's curve that is not of order p, in ffjavascript's form: [[x_re, x_im], [y_re, y_im], [1, 0]]. */
export function outsideG2(): bigint[][] {
  const { Fp2 } = bn254.fields;
  const { b } = bn254.G2.Point.CURVE();
  for (let i = 1n; ; i++) {
    const x = Fp2.create({ c0: i, c1: 1n });
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), b);
    if (!Fp2.eql(Fp2.pow(square, (Fp2.ORDER - 1n) / 2n), Fp2.ONE)) continue;
    const y = Fp2.sqrt(square);
    return [
      [x.c0, x.c1],
      [y.c0, y.c1],
      [1n, 0n],
    ];
  }
}
