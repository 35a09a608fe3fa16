/** Opening file of a receipt (docs/protocol.md 11). */

import { type Hex, Reader, readLittleEndian } from "../primitives/bytes.ts";
import { ORDER } from "../primitives/curve.ts";
import { tag } from "../primitives/hashes.ts";
import { demand } from "../problem.ts";
import type { Module } from "./manifest.ts";

const OFFSET = 1n << 255n;

/** What the statements of a receipt open to. */
export interface Opening {
  agreementId: Hex;
  manifestHash: Hex;
  passes: bigint;
  tokens: bigint;
  head: Hex;
  /** t of each group. */
  t: bigint[];
  /** Folded activations and answers of each module. */
  xBar: bigint[][];
  yBar: bigint[][];
}

/** Parses an opening file for these modules. @throws Wrong naming what differs */
export function readOpening(bytes: Uint8Array, modules: readonly Module[], groups: number): Opening {
  const file = new Reader(bytes, "the opening file");
  file.magic(tag("opening"));
  const beginning = {
    agreementId: file.hex(32),
    manifestHash: file.hex(32),
    passes: file.u64(),
    tokens: file.u64(),
    head: file.hex(32),
  };
  demand(file.u32() === groups, `the opening file is not for ${groups} groups`);
  demand(file.u32() === modules.length, `the opening file is not for ${modules.length} modules`);
  const t = Array.from({ length: groups }, (_, g) => {
    const blind = readLittleEndian(file.take(32));
    demand(blind < ORDER, `t of group ${g} is not below p`);
    return blind;
  });
  const sums = (length: number): bigint[] =>
    Array.from({ length }, () => readLittleEndian(file.take(32)) - OFFSET);
  const xBar: bigint[][] = [];
  const yBar: bigint[][] = [];
  for (const { name, dIn, dOut } of modules) {
    const shape = [file.u32(), file.u32()];
    demand(
      shape[0] === dIn && shape[1] === dOut,
      `${name} is ${shape.join("x")} in the opening file, ${dIn}x${dOut} in the manifest`,
    );
    xBar.push(sums(dIn));
    yBar.push(sums(dOut));
  }
  file.end();
  return { ...beginning, t, xBar, yBar };
}
