/** Keys as the parties use them: built when missing, and only those this version pins. */
import * as fs from "node:fs";
import type { VerificationKey } from "snarkjs";
import { equalBytes, type Hex, toHex } from "../protocol/bytes.ts";
import { loadCurve } from "../protocol/curve.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { sha256 } from "../protocol/hash.ts";
import { type CommitKey, decodeCommitKey, encodeCommitKey, vkHash } from "../protocol/key.ts";
import { type KeyInfo, makeDevKey, type PinnedKey } from "./artefacts.ts";
import type { OnProgress } from "./devPtau.ts";
import { commitKeyOf } from "./fromZkey.ts";
import { pinnedKey } from "./pinned.ts";
import { isStored, type KeyPaths, keyPaths, storeKey } from "./store.ts";
import { readZkey } from "./zkeyFile.ts";

export interface KeyOptions {
  onProgress?: OnProgress;
}

export interface ProvingKey {
  zkey: Uint8Array;
  /** Witness generator. */
  wasm: Uint8Array;
  vk: VerificationKey;
  commitKey: CommitKey;
}

/** Builds under way in this process, by folder. */
const building = new Map<string, Promise<KeyPaths>>();

function notPinned(size: number, file: string): DeltapayError {
  return new DeltapayError("key/not-pinned", `${file} of key ${size} is not the one this version pins`, {
    field: file,
    hint: "delete the folder of this key; it is built again when needed",
  });
}

function isPinned(info: KeyInfo | undefined, pinned: PinnedKey): boolean {
  return (
    info?.vkHash === pinned.vkHash && info.zkeyHash === pinned.zkeyHash && info.wasmHash === pinned.wasmHash
  );
}

async function build(size: number, pinned: PinnedKey, onProgress: OnProgress): Promise<KeyPaths> {
  ensure(
    pinned.state === "dev",
    "key/not-here",
    `the key of size ${size} came out of a ceremony and cannot be built: its files are not in ${keyPaths(size).directory}`,
    { field: "size", hint: "put the release's keys there, or name their folder in DELTAPAY_KEYS" },
  );
  const key = await makeDevKey(await loadCurve(), size, onProgress);
  if (!isPinned(key.info, pinned))
    throw new DeltapayError(
      "key/not-pinned",
      `the key of size ${size} built here is not the one this version pins`,
      {
        field: "vkHash",
        hint: "the circuit, the compiler or snarkjs changed: see scripts/generate-keys.ts",
      },
    );
  return storeKey(key);
}

/**
 * The key of size L, built when it is missing or belongs to another version. Two processes may call it at once.
 * @throws DeltapayError `key/unknown-size`, `key/not-pinned`, `key/not-here`, `key/cannot-store`
 */
export function ensureKey(size: number, options: KeyOptions = {}): Promise<KeyPaths> {
  const paths = keyPaths(size);
  const running = building.get(paths.directory);
  if (running !== undefined) return running;
  const work = (async () => {
    const pinned = pinnedKey(size);
    if (isStored(pinned)) return paths;
    return build(size, pinned, options.onProgress ?? (() => {}));
  })().finally(() => building.delete(paths.directory));
  building.set(paths.directory, work);
  return work;
}

/** A file whose SHA-256 is pinned. */
function readPinned(path: string, hash: Hex, size: number): Uint8Array {
  const bytes = new Uint8Array(fs.readFileSync(path));
  if (toHex(sha256(bytes)) !== hash) throw notPinned(size, path);
  return bytes;
}

/**
 * The bases and verifying key both parties commit and verify with, checked against the pinned vkHash.
 * @throws DeltapayError as `ensureKey`, `key/malformed`
 */
export async function loadCommitKey(size: number, options: KeyOptions = {}): Promise<CommitKey> {
  const paths = await ensureKey(size, options);
  const key = decodeCommitKey(new Uint8Array(fs.readFileSync(paths.commitKey)));
  if (vkHash(key) !== pinnedKey(size).vkHash) throw notPinned(size, paths.commitKey);
  return key;
}

/**
 * What a contributor proves with; every file checked against its pinned hash, the bases against the .zkey.
 * @throws DeltapayError as `loadCommitKey`
 */
export async function loadProvingKey(size: number, options: KeyOptions = {}): Promise<ProvingKey> {
  const commitKey = await loadCommitKey(size, options);
  const paths = keyPaths(size);
  const pinned = pinnedKey(size);
  const zkey = readPinned(paths.zkey, pinned.zkeyHash, size);
  const r1cs = readPinned(paths.r1cs, pinned.r1csHash, size);
  const derived = await commitKeyOf(await loadCurve(), size, r1cs, readZkey(zkey));
  if (!equalBytes(encodeCommitKey(derived), encodeCommitKey(commitKey)))
    throw notPinned(size, paths.commitKey);
  return {
    zkey,
    wasm: readPinned(paths.wasm, pinned.wasmHash, size),
    vk: JSON.parse(fs.readFileSync(paths.vk, "utf8")) as VerificationKey,
    commitKey,
  };
}
