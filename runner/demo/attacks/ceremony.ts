/** Keys that snarkjs alone accepts, and that bind nobody. */
import * as fs from "node:fs";
import * as snarkjs from "snarkjs";
import { checkFromInitial, checkKeyPoints } from "../../keys/checkKey.ts";
import { devPtau, devSecrets } from "../../keys/devPtau.ts";
import { commitKeyOf } from "../../keys/fromZkey.ts";
import { ensureKey } from "../../keys/load.ts";
import { writeSections } from "../../keys/sections.ts";
import { committedWires, devBeacon, domainPower, initialKey } from "../../keys/setup.ts";
import { readZkey } from "../../keys/zkeyFile.ts";
import { decodeKeyPoints } from "../../protocol/commitment.ts";
import { loadCurve } from "../../protocol/curve.ts";
import { type Attack, refused } from "./attack.ts";

const SIZE = 14;
const LARGER = 30;

async function circuit(): Promise<Uint8Array> {
  return new Uint8Array(fs.readFileSync((await ensureKey(SIZE)).r1cs));
}

/** A key with some sections replaced. */
function withSections(zkey: Uint8Array, replaced: readonly (readonly [number, Uint8Array])[]): Uint8Array {
  const { file } = readZkey(zkey);
  return writeSections({ ...file, sections: new Map([...file.sections, ...replaced]) });
}

const section = (zkey: Uint8Array, id: number): Uint8Array => readZkey(zkey).file.sections.get(id)!;

async function requireAccepted(initial: Uint8Array, ptau: Uint8Array, zkey: Uint8Array): Promise<void> {
  if (!(await snarkjs.zKey.verifyFromInit(initial, ptau, zkey)))
    throw new Error("snarkjs refuses the key: nothing was attacked");
}

export const keyOfInfinities: Attack = {
  name: "key-of-infinities",
  expected: "a key made with powers of tau of another circuit, whose bases are infinity: refused by name",
  async run() {
    const curve = await loadCurve();
    const r1cs = await circuit();
    const ptau = await devPtau(curve, domainPower(LARGER), devSecrets(LARGER));
    const initial = await initialKey(SIZE, r1cs, ptau);
    const zkey = readZkey(await devBeacon(SIZE, initial));
    await requireAccepted(initial, ptau, await devBeacon(SIZE, initial));
    const { message } = await refused("the key", "key/infinity", async () => checkKeyPoints(curve, zkey));
    const commitKey = await commitKeyOf(curve, SIZE, r1cs, zkey);
    const parties = await refused("its bases", "point/infinity", () => decodeKeyPoints(curve, commitKey));
    return {
      how: `snarkjs verifies the key; ${message}; the parties' own check of their bases: ${parties.message}`,
      gained: 0n,
    };
  },
};

export const contributionBeforeMove: Attack = {
  name: "contribution-before-move",
  expected:
    "a contribution made before the committed points were moved, whose maker can open any commitment: refused",
  async run() {
    const r1cs = await circuit();
    const ptau = await devPtau(await loadCurve(), domainPower(SIZE), devSecrets(SIZE));
    const initial = await initialKey(SIZE, r1cs, ptau);
    const fresh: snarkjs.MemFile = { type: "mem" };
    await snarkjs.zKey.newZKey(r1cs, ptau, fresh);
    const early: snarkjs.MemFile = { type: "mem" };
    await snarkjs.zKey.contribute(fresh.data!, early, "early", "known to the attacker");
    // the bases as they must be, everything else divided by a delta the attacker knows
    const header = section(early.data!, 2).slice();
    header.set(section(initial, 2).subarray(72, 84), 72);
    const moved = readZkey(early.data!).c.subarray(committedWires(SIZE) * 64);
    const key = withSections(early.data!, [
      [2, header],
      [3, section(initial, 3)],
      [8, moved],
    ]);
    await requireAccepted(withSections(initial, [[10, section(fresh.data!, 10)]]), ptau, key);
    const { message } = await refused("the key", "key/not-from-initial", () =>
      checkFromInitial(initial, ptau, key),
    );
    return { how: `with the circuit hash of before the move snarkjs verifies it; ${message}`, gained: 0n };
  },
};
