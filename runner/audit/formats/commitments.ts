/** The commitments file and its proofs of knowledge (docs/protocol.md 4). */

import { concat, fromHex, littleEndian, Reader, readLittleEndian, u32 } from "../primitives/bytes.ts";
import { combine, ORDER, type PointG1, pointsG1 } from "../primitives/curve.ts";
import { sha, tag, xof } from "../primitives/hashes.ts";
import { demand } from "../problem.ts";
import type { CommitKey } from "./commitKey.ts";
import type { Manifest, Module } from "./manifest.ts";

/** One side of one module: commitments and the proof that their openings are known. */
export interface CommittedSide {
  encoded: Uint8Array;
  points: PointG1[];
  encodedT: Uint8Array;
  T: PointG1;
  z: bigint[];
}

/** A: columns of A; B: rows of B. */
export interface CommittedModule {
  A: CommittedSide;
  B: CommittedSide;
}

/**
 * Parses the file: every point is on the curve, every scalar below p.
 * @param onModule told after each module
 * @throws Wrong naming module and index
 */
export function readCommitments(
  bytes: Uint8Array,
  modules: readonly Module[],
  onModule: (done: number) => void = () => {},
): CommittedModule[] {
  const file = new Reader(bytes, "the commitments file");
  file.magic(tag("commitments"));
  demand(file.u32() === modules.length, `the commitments file is not for ${modules.length} modules`);
  const encoded = modules.map(({ dIn, dOut }) => ({ A: file.take(64 * dIn), B: file.take(64 * dOut) }));
  const knowledge = modules.map(({ name, r }) => ({
    A: readKnowledge(file, name, r),
    B: readKnowledge(file, name, r),
  }));
  file.end();
  return modules.map(({ name }, m) => {
    const side = (which: "A" | "B"): CommittedSide => {
      const { encodedT, z } = knowledge[m]![which];
      return {
        encoded: encoded[m]![which],
        points: pointsG1(encoded[m]![which], `${name} C${which}`),
        encodedT,
        T: pointsG1(encodedT, `${name} T_${which}`)[0]!,
        z,
      };
    };
    const committed = { A: side("A"), B: side("B") };
    onModule(m + 1);
    return committed;
  });
}

function readKnowledge(file: Reader, name: string, r: number): { encodedT: Uint8Array; z: bigint[] } {
  const encodedT = file.take(64);
  const z = Array.from({ length: r + 1 }, (_, k) => {
    const scalar = readLittleEndian(file.take(32));
    demand(scalar < ORDER, `${name}: response ${k} of the proof of knowledge is not below p`);
    return scalar;
  });
  return { encodedT, z };
}

/** The challenge stream, dealt out in module order, to A and then B. */
export function challenges(manifest: Manifest, committed: readonly CommittedModule[]): bigint[] {
  const { chainId, registry, vkHash, contributor, adapterSalt, modules } = manifest;
  const seed = sha(
    "knowledge",
    littleEndian(chainId, 32),
    fromHex(registry, 20),
    fromHex(vkHash, 32),
    fromHex(contributor, 20),
    fromHex(adapterSalt, 32),
    u32(modules.length),
    ...modules.map(({ dIn, dOut, r, group, slot }) => concat(...[dIn, dOut, r, group, slot].map(u32))),
    ...committed.flatMap(({ A, B }) => [A.encoded, B.encoded]),
    ...committed.flatMap(({ A, B }) => [A.encodedT, B.encodedT]),
  );
  return xof(
    seed,
    modules.reduce((sum, { dIn, dOut }) => sum + dIn + dOut, 0),
  );
}

/**
 * Checks every proof of knowledge, over the module's own slots.
 * @throws Wrong naming module and side
 */
export function checkKnowledge(
  key: CommitKey,
  manifest: Manifest,
  committed: readonly CommittedModule[],
  onModule: (done: number) => void = () => {},
): void {
  const e = challenges(manifest, committed);
  let at = 0;
  for (const [m, { name, r, slot }] of manifest.modules.entries()) {
    for (const side of ["A", "B"] as const) {
      const { points, T, z } = committed[m]![side];
      const own = [...(side === "A" ? key.H : key.S).slice(slot, slot + r), key.Z];
      const right = T.add(combine(points, e.slice(at, at + points.length)));
      at += points.length;
      demand(combine(own, z).equals(right), `${name}: the proof of knowledge of ${side} does not hold`);
    }
    onModule(m + 1);
  }
}
