/** Everything a key of one size consists of, made in memory: compile, dev setup, check. */

import * as fs from "node:fs";
import { fileURLToPath } from "node:url";
import type { Curve } from "ffjavascript";
import * as snarkjs from "snarkjs";
import { type Hex, toHex } from "../protocol/bytes.ts";
import { sha256 } from "../protocol/hash.ts";
import { type CommitKey, verifyingKey, vkHash } from "../protocol/key.ts";
import { type KeyTrust, keyTrust } from "../protocol/keyTrust.ts";
import { checkKernel, checkShape, checkWireOrder } from "./checkCircuit.ts";
import { checkFromInitial, checkKeyPoints } from "./checkKey.ts";
import { compileCircuit, compilerVersion } from "./compile.ts";
import { DEV_SEED, type OnProgress } from "./devPtau.ts";
import { commitKeyOf } from "./fromZkey.ts";
import { readR1cs } from "./r1cs.ts";
import { type DevSetup, devSetup } from "./setup.ts";
import { readZkey } from "./zkeyFile.ts";

/** What is pinned of a key in git (circuits/keys.json). */
export type PinnedKey = KeyTrust & {
  /** L. */
  size: number;
  constraints: number;
  /** SHA-256 of the .r1cs, of the .wasm and of the .zkey. */
  r1csHash: Hex;
  wasmHash: Hex;
  zkeyHash: Hex;
  /** IC_0, and keccak256 of the bases: with the points of its verifier all that vkHash covers. */
  ic0: Hex;
  basesHash: Hex;
  vkHash: Hex;
};

/** info.json beside a key. */
export type KeyInfo = PinnedKey & {
  compiler: string;
  snarkjs: string;
  /** The public seed of tau and delta of a dev key. */
  seed?: string;
};

export interface KeyArtefacts {
  info: KeyInfo;
  r1cs: Uint8Array;
  wasm: Uint8Array;
  zkey: Uint8Array;
  vk: snarkjs.VerificationKey;
  commitKey: CommitKey;
}

/** Version of the snarkjs package. */
export function snarkjsVersion(): string {
  const path = fileURLToPath(new URL("package.json", import.meta.resolve("snarkjs")));
  return (JSON.parse(fs.readFileSync(path, "utf8")) as { version: string }).version;
}

/** What is pinned of a key, in the order it is written. */
export function pinnedOf({ info }: Pick<KeyArtefacts, "info">): PinnedKey {
  const { size, constraints, r1csHash, wasmHash, zkeyHash, ic0, basesHash, vkHash } = info;
  return { size, ...keyTrust(info), constraints, r1csHash, wasmHash, zkeyHash, ic0, basesHash, vkHash };
}

/** Every check of protocol 3 on a fresh key. Throws what the first one that fails throws. */
async function checkFresh(
  curve: Curve,
  size: number,
  r1cs: Uint8Array,
  sym: string,
  setup: DevSetup,
): Promise<void> {
  const circuit = readR1cs(r1cs);
  checkShape(circuit, size);
  checkWireOrder(sym, size);
  checkKernel(circuit, size);
  checkKeyPoints(curve, readZkey(setup.zkey));
  await checkFromInitial(setup.initial, setup.ptau, setup.zkey);
}

/**
 * Makes the dev key of size L from source; the same bytes every time.
 * @throws DeltapayError `key/...` when the circuit or the key fails a check
 */
export async function makeDevKey(
  curve: Curve,
  size: number,
  onProgress: OnProgress = () => {},
): Promise<KeyArtefacts> {
  onProgress("compile", 0, 1);
  const { r1cs, wasm, sym } = await compileCircuit(size);
  onProgress("compile", 1, 1);
  const setup = await devSetup(curve, size, r1cs, onProgress);
  onProgress("check", 0, 1);
  await checkFresh(curve, size, r1cs, sym, setup);
  onProgress("check", 1, 1);
  const commitKey = await commitKeyOf(curve, size, r1cs, readZkey(setup.zkey));
  const info: KeyInfo = {
    size,
    state: "dev",
    constraints: readR1cs(r1cs).constraints.length,
    r1csHash: toHex(sha256(r1cs)),
    wasmHash: toHex(sha256(wasm)),
    zkeyHash: toHex(sha256(setup.zkey)),
    ic0: toHex(commitKey.ic0),
    basesHash: verifyingKey(commitKey).basesHash,
    vkHash: vkHash(commitKey),
    compiler: compilerVersion(),
    snarkjs: snarkjsVersion(),
    seed: DEV_SEED,
  };
  const vk = await snarkjs.zKey.exportVerificationKey(setup.zkey);
  return { info, r1cs, wasm, zkey: setup.zkey, vk, commitKey };
}
