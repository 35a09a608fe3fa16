/** Vectors of the key of size 14: circuit, moved circuit hash, commit key file, vkHash. */
import * as fs from "node:fs";
import * as snarkjs from "snarkjs";
import { devPtau, devSecrets } from "../../runner/keys/devPtau.ts";
import { ensureKey, loadCommitKey } from "../../runner/keys/load.ts";
import { committedWires, domainPower } from "../../runner/keys/setup.ts";
import { movedCircuitHash, readZkey } from "../../runner/keys/zkeyFile.ts";
import { equalBytes, type Hex } from "../../runner/protocol/bytes.ts";
import { decodeKeyPoints, type KeyPoints } from "../../runner/protocol/commitment.ts";
import type { Curve } from "../../runner/protocol/curve.ts";
import { sha256 } from "../../runner/protocol/hash.ts";
import { type CommitKey, encodeCommitKey, vkHash } from "../../runner/protocol/key.ts";
import type { Book } from "./book.ts";
import { KEY_SIZE } from "./inputs.ts";

export interface VectorKey {
  commitKey: CommitKey;
  points: KeyPoints;
  vkHash: Hex;
}

/** The circuit hash that `zkey new` gives, before the committed points are moved. */
async function freshCircuitHash(curve: Curve, r1cs: Uint8Array): Promise<Uint8Array> {
  const ptau = await devPtau(curve, domainPower(KEY_SIZE), devSecrets(KEY_SIZE));
  const fresh: snarkjs.MemFile = { type: "mem" };
  await snarkjs.zKey.newZKey(r1cs, ptau, fresh);
  return readZkey(fresh.data!).circuitHash.slice();
}

async function addCircuit(book: Book, curve: Curve): Promise<void> {
  const paths = await ensureKey(KEY_SIZE);
  const r1cs = new Uint8Array(fs.readFileSync(paths.r1cs));
  book.add("key/r1cs-hash", { size: KEY_SIZE, r1cs }, sha256(r1cs));
  const circuitHash = await freshCircuitHash(curve, r1cs);
  const count = committedWires(KEY_SIZE);
  const moved = movedCircuitHash(circuitHash, count);
  const { circuitHash: used } = readZkey(new Uint8Array(fs.readFileSync(paths.zkey)));
  if (!equalBytes(used, moved)) throw new Error("the key of size 14 has another circuit hash");
  book.add("key/circuit-hash", { circuitHash, movedPoints: count }, moved);
}

/** Adds every vector of this file and returns the key that the others commit with. */
export async function addKey(book: Book, curve: Curve): Promise<VectorKey> {
  await addCircuit(book, curve);
  const commitKey = await loadCommitKey(KEY_SIZE);
  const { bases, ...rest } = commitKey;
  const named = {
    I: bases.slice(0, 64),
    H: bases.slice(64, 64 * (1 + KEY_SIZE)),
    S: bases.slice(64 * (1 + KEY_SIZE), 64 * (1 + 2 * KEY_SIZE)),
    Z: bases.slice(64 * (1 + 2 * KEY_SIZE)),
  };
  const hash = vkHash(commitKey);
  book.add("key/vk-hash", { ...rest, bases: named }, hash);
  book.add("key/commit-key-file", { from: "key/vk-hash" }, encodeCommitKey(commitKey));
  return { commitKey, points: await decodeKeyPoints(curve, commitKey), vkHash: hash };
}
