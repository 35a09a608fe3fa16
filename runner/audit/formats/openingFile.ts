/** Opening file of a receipt (docs/protocol.md 11). */

import { type Hex, Reader, readLittleEndian } from "../primitives/bytes.ts";
import { ORDER } from "../primitives/curve.ts";
import { tag } from "../primitives/hashes.ts";
import { demand } from "../problem.ts";
import type { Module } from "./manifest.ts";

const OFFSET = 1n << 255n;
/** Bits of a token's part of a folded activation and of a folded answer (docs/protocol.md 7). */
const X_BITS = 143n;
const Y_BITS = 181n;

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
  const sums = (length: number, name: string, bits: bigint): bigint[] =>
    Array.from({ length }, (_, i) => {
      const sum = readLittleEndian(file.take(32)) - OFFSET;
      const bound = beginning.tokens << bits;
      demand(-bound < sum && sum < bound, `${name}[${i}] of the opening file is beyond 2^${bits} a token`);
      return sum;
    });
  const xBar: bigint[][] = [];
  const yBar: bigint[][] = [];
  for (const { name, dIn, dOut } of modules) {
    const shape = [file.u32(), file.u32()];
    demand(
      shape[0] === dIn && shape[1] === dOut,
      `${name} is ${shape.join("x")} in the opening file, ${dIn}x${dOut} in the manifest`,
    );
    xBar.push(sums(dIn, `${name}: xBar`, X_BITS));
    yBar.push(sums(dOut, `${name}: yBar`, Y_BITS));
  }
  file.end();
  return { ...beginning, t, xBar, yBar };
}
