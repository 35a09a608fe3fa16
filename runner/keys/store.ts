/**
 * Built keys on disk: build/keys/<L>/ of the project, or $DELTAPAY_KEYS/<L>/. A key's folder appears complete or not at
 * all, so that two processes may build at once and an interrupted build leaves nothing that looks like a key.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { DeltapayError } from "../protocol/errors.ts";
import { encodeCommitKey } from "../protocol/key.ts";
import type { KeyArtefacts, KeyInfo, PinnedKey } from "./artefacts.ts";

const DEFAULT_DIRECTORY = fileURLToPath(new URL("../../build/keys", import.meta.url));

export interface KeyPaths {
  size: number;
  directory: string;
  r1cs: string;
  wasm: string;
  zkey: string;
  vk: string;
  commitKey: string;
  info: string;
}

/** The folder that holds all keys. */
export function keysDirectory(): string {
  return process.env["DELTAPAY_KEYS"] ?? DEFAULT_DIRECTORY;
}

function pathsIn(size: number, directory: string): KeyPaths {
  const file = (name: string): string => path.join(directory, name);
  return {
    size,
    directory,
    r1cs: file("lora_statement.r1cs"),
    wasm: file("lora_statement.wasm"),
    zkey: file("key.zkey"),
    vk: file("vk.json"),
    commitKey: file("commit-key.bin"),
    info: file("info.json"),
  };
}

/** Where the key of size L lies once built. */
export function keyPaths(size: number): KeyPaths {
  return pathsIn(size, path.join(keysDirectory(), String(size)));
}

/** What is known of a built key; undefined when it is not built. */
export function readKeyInfo(size: number): KeyInfo | undefined {
  try {
    return JSON.parse(fs.readFileSync(keyPaths(size).info, "utf8")) as KeyInfo;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new DeltapayError("key/malformed", `info.json of key ${size} cannot be read`, {
      field: keyPaths(size).info,
      hint: "delete the folder of this key; it is built again when needed",
      cause,
    });
  }
}

/** Whether every file of the key of size L is there. */
export function isBuilt(size: number): boolean {
  const { size: _, ...files } = keyPaths(size);
  return Object.values(files).every((file) => fs.existsSync(file));
}

/** Whether the very key described lies complete on this machine. */
export function isStored(key: PinnedKey): boolean {
  const info = isBuilt(key.size) ? readKeyInfo(key.size) : undefined;
  return info?.zkeyHash === key.zkeyHash && info.wasmHash === key.wasmHash && info.r1csHash === key.r1csHash;
}

function writeFiles(paths: KeyPaths, key: KeyArtefacts): void {
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  fs.writeFileSync(paths.r1cs, key.r1cs);
  fs.writeFileSync(paths.wasm, key.wasm);
  fs.writeFileSync(paths.zkey, key.zkey);
  fs.writeFileSync(paths.vk, json(key.vk));
  fs.writeFileSync(paths.commitKey, encodeCommitKey(key.commitKey));
  fs.writeFileSync(paths.info, json(key.info));
}

/** Writes a key as `keyPaths` lays it out, into `<directory>/<L>/` of a folder under `directory` that is not in use yet. */
export function writeKeyFiles(directory: string, key: KeyArtefacts): void {
  const paths = pathsIn(key.info.size, path.join(directory, String(key.info.size)));
  fs.mkdirSync(paths.directory, { recursive: true });
  writeFiles(paths, key);
}

/** Renames a folder; false when the destination is already there. */
function moveInto(from: string, to: string): boolean {
  try {
    fs.renameSync(from, to);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    // What Linux, macOS and Windows say of a destination that is there and not empty.
    if (code === "ENOTEMPTY" || code === "EEXIST" || code === "EPERM") return false;
    throw error;
  }
}

/**
 * Puts a key in its place, atomically. An equal key that is already there stays; another one is replaced.
 * @throws DeltapayError `key/cannot-store`
 */
export function storeKey(key: KeyArtefacts): KeyPaths {
  const paths = keyPaths(key.info.size);
  fs.mkdirSync(keysDirectory(), { recursive: true });
  const staging = fs.mkdtempSync(path.join(keysDirectory(), ".new-"));
  try {
    const staged = path.join(staging, "key");
    fs.mkdirSync(staged);
    writeFiles(pathsIn(key.info.size, staged), key);
    for (let attempt = 0; attempt < 3; attempt++) {
      if (moveInto(staged, paths.directory)) return paths;
      if (isStored(key.info)) return paths;
      moveInto(paths.directory, path.join(staging, `old-${attempt}`));
    }
  } finally {
    fs.rmSync(staging, { recursive: true, force: true });
  }
  throw new DeltapayError("key/cannot-store", `another process keeps replacing ${paths.directory}`, {
    field: paths.directory,
    hint: "let only one version of the project write to this folder, or set DELTAPAY_KEYS",
  });
}
