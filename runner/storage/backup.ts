/**
 * A role's data folder as one encrypted file, and back. Databases are copied as they stand, also while in use. Transcripts
 * and databases hold what the secrets protect (activations, answers, salts), so all is encrypted under a key derived from
 * the vault's: restoring takes the vault's passphrase or key file. The key file is left out unless asked for: with it the
 * backup opens by itself.
 *
 * Layout: magic 32 | length u32, vault.json | length u32 (0 or 32), key file | salt 32 | a sealed stream (sealedStream.ts)
 * bound to all before it: for each file path length u32, path, size u64, bytes. Sorted by path; integers little-endian.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { concatBytes, equalBytes, readUintLE, tag, u32, uintLE } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { copyDatabase, openExisting } from "./database.ts";
import { makePrivateDirectory, readFileIfThere, syncDirectory, writeFileAtomic } from "./files.ts";
import { BrokenSeal, SealedReader, SealedWriter } from "./sealedStream.ts";
import { Vault, type VaultOptions } from "./vault.ts";

const MAGIC = tag("deltapay/1/sealed-backup");
const PURPOSE = "backup";
const MAX_PATH = 1024;
const MAX_VAULT_HEADER = 65_536;
const KEY_BYTES = 32;
const SALT_BYTES = 32;
const READ_BYTES = 2 ** 20;
const VAULT = "vault";
const VAULT_HEADER = "vault/vault.json";
const KEY_FILE = "vault.key";

export interface BackupOptions {
  directory: string;
  /** Must not exist. */
  file: string;
  /** Take the vault's key file along: whoever has the backup can then read all of it. Default false. */
  includeKeyFile?: boolean;
  /** Of a vault that has one. */
  passphrase?: string;
}

export interface RestoreOptions {
  file: string;
  /** Not there or empty. */
  directory: string;
  /** Of a vault that has one. */
  passphrase?: string;
  /** The vault's key file, where the backup was made without it. */
  keyFile?: string;
}

export interface BackupSummary {
  files: number;
  bytes: number;
  /** False when the backup opens only with a passphrase or a key file kept elsewhere. */
  includesKeyFile: boolean;
}

/** Databases are copied whole, their logs with them; staged files and locks are nobody's data. */
const isTransient = (name: string): boolean =>
  /\.db-(wal|shm|journal)$/.test(name) || name.split("/").some((part) => part.startsWith("."));

/** Paths of all files of a folder but the vault's header and key, relative, with forward slashes, sorted. */
function filesOf(directory: string): string[] {
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .filter((name) => !isTransient(name) && name !== VAULT_HEADER && name !== KEY_FILE)
    .sort();
}

/**
 * Writes a backup; the service may be running.
 * @throws DeltapayError `backup/nothing`, `backup/exists`, `vault/...`
 */
export async function backup(options: BackupOptions): Promise<BackupSummary> {
  const { directory, file, includeKeyFile = false } = options;
  const vaultHeader = readFileIfThere(path.join(directory, VAULT_HEADER));
  if (vaultHeader === undefined)
    throw new DeltapayError("backup/nothing", `${directory} is not there or holds no vault`, {
      field: "data",
    });
  if (fs.existsSync(file))
    throw new DeltapayError("backup/exists", `${file} is already there`, {
      field: "file",
      hint: "give another name: backups are not overwritten",
    });
  const vault = await Vault.open(path.join(directory, VAULT), unlocking(options));
  const keyFile = includeKeyFile ? readFileIfThere(path.join(directory, KEY_FILE)) : undefined;
  const salt = randomBytes(SALT_BYTES);
  const header = encodeHeader(vaultHeader, keyFile ?? new Uint8Array(), salt);
  makePrivateDirectory(path.dirname(path.resolve(file)));
  const staged = `${path.resolve(file)}.part-${randomBytes(6).toString("hex")}`;
  try {
    const { files, bytes } = writeSealed(staged, directory, vault.deriveKey(PURPOSE, salt), header);
    fs.renameSync(staged, file);
    syncDirectory(path.dirname(staged));
    const known = [vaultHeader, ...(keyFile === undefined ? [] : [keyFile])];
    return {
      files: files + known.length,
      bytes: known.reduce((sum, { length }) => sum + length, bytes),
      includesKeyFile: keyFile !== undefined,
    };
  } finally {
    fs.rmSync(staged, { force: true });
  }
}

function unlocking({ passphrase }: { passphrase?: string }): VaultOptions {
  return passphrase === undefined ? {} : { passphrase };
}

function encodeHeader(vaultHeader: Uint8Array, keyFile: Uint8Array, salt: Uint8Array): Uint8Array {
  return concatBytes(MAGIC, u32(vaultHeader.length), vaultHeader, u32(keyFile.length), keyFile, salt);
}

function writeSealed(
  staged: string,
  directory: string,
  key: Uint8Array,
  header: Uint8Array,
): { files: number; bytes: number } {
  const names = filesOf(directory);
  const descriptor = fs.openSync(staged, "wx", 0o600);
  try {
    fs.writeFileSync(descriptor, header);
    const writer = new SealedWriter(descriptor, key, header);
    let bytes = 0;
    for (const name of names)
      bytes += name.endsWith(".db")
        ? writeDatabase(writer, directory, name)
        : writeFile(writer, name, path.join(directory, name));
    writer.end();
    fs.fsyncSync(descriptor);
    return { files: names.length, bytes };
  } finally {
    fs.closeSync(descriptor);
  }
}

/** A consistent copy, made in the data folder: the backup's medium never sees it in the clear. */
function writeDatabase(writer: SealedWriter, directory: string, name: string): number {
  const staging = fs.mkdtempSync(path.join(directory, ".backup-"));
  const copy = path.join(staging, "copy.db");
  const database = openExisting(path.join(directory, name));
  try {
    copyDatabase(database, copy);
    return writeFile(writer, name, copy);
  } finally {
    database.close();
    fs.rmSync(staging, { recursive: true, force: true });
  }
}

/** @returns size of the file */
function writeFile(writer: SealedWriter, name: string, file: string): number {
  const descriptor = fs.openSync(file, "r");
  try {
    const { size } = fs.fstatSync(descriptor);
    const label = new TextEncoder().encode(name);
    writer.write(concatBytes(u32(label.length), label, uintLE(BigInt(size), 8)));
    const buffer = new Uint8Array(READ_BYTES);
    for (let left = size; left > 0; ) {
      const read = fs.readSync(descriptor, buffer, 0, Math.min(left, READ_BYTES), null);
      if (read === 0)
        throw new DeltapayError("backup/changed", `${name} became shorter meanwhile`, {
          field: name,
          hint: "run the backup again",
        });
      writer.write(buffer.subarray(0, read));
      left -= read;
    }
    return size;
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * Brings a backup back into a folder that is not there or empty: all of it or nothing. The key file comes back too.
 * @throws DeltapayError `backup/nothing`, `backup/not-empty`, `backup/corrupt`, `backup/key-needed`, `backup/wrong-key`,
 * `vault/passphrase-needed`
 */
export async function restore(options: RestoreOptions): Promise<BackupSummary> {
  const { file, directory } = options;
  if (!fs.existsSync(file))
    throw new DeltapayError("backup/nothing", `${file} is not there`, { field: "file" });
  if (fs.existsSync(directory) && fs.readdirSync(directory).length > 0)
    throw new DeltapayError("backup/not-empty", `${directory} holds files already`, {
      field: "data",
      hint: "restore into a new folder",
    });
  const target = path.resolve(directory);
  makePrivateDirectory(path.dirname(target));
  const descriptor = fs.openSync(file, "r");
  const staging = fs.mkdtempSync(`${target}.part-`);
  try {
    const made = await unpack(descriptor, staging, options);
    if (fs.existsSync(target)) fs.rmdirSync(target);
    fs.renameSync(staging, target);
    syncDirectory(path.dirname(target));
    return made;
  } finally {
    fs.closeSync(descriptor);
    fs.rmSync(staging, { recursive: true, force: true });
  }
}

const corrupt = (cause?: unknown): DeltapayError =>
  new DeltapayError("backup/corrupt", "the backup is damaged, cut off or not one of ours", {
    field: "file",
    cause,
  });

interface Header {
  bytes: Uint8Array;
  vaultHeader: Uint8Array;
  keyFile: Uint8Array;
  salt: Uint8Array;
}

async function unpack(
  descriptor: number,
  directory: string,
  options: RestoreOptions,
): Promise<BackupSummary> {
  const header = readHeader(descriptor);
  const key = await unlock(header, directory, options);
  const includesKeyFile = header.keyFile.length > 0;
  let files = includesKeyFile ? 2 : 1;
  let bytes = header.vaultHeader.length + header.keyFile.length;
  const reader = new SealedReader(descriptor, header.bytes.length, key, header.bytes);
  try {
    for (let first = reader.read(1); first.length > 0; first = reader.read(1)) {
      bytes += unpackFile(reader, first, directory);
      files++;
    }
  } catch (error) {
    throw error instanceof BrokenSeal ? corrupt(error) : error;
  }
  return { files, bytes, includesKeyFile };
}

function readHeader(descriptor: number): Header {
  let at = 0;
  const take = (length: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    if (fs.readSync(descriptor, bytes, 0, length, at) !== length) throw corrupt();
    at += length;
    return bytes;
  };
  const takeSized = (most: number): Uint8Array => {
    const length = Number(readUintLE(take(4), 0, 4));
    if (length > most) throw corrupt();
    return take(length);
  };
  if (!equalBytes(take(MAGIC.length), MAGIC)) throw corrupt();
  const vaultHeader = takeSized(MAX_VAULT_HEADER);
  const keyFile = takeSized(KEY_BYTES);
  const salt = take(SALT_BYTES);
  return { bytes: encodeHeader(vaultHeader, keyFile, salt), vaultHeader, keyFile, salt };
}

/** The vault's header and key, back in their place, and the key of the sealed stream. */
async function unlock(header: Header, directory: string, options: RestoreOptions): Promise<Uint8Array> {
  const given = options.keyFile === undefined ? undefined : readFileIfThere(options.keyFile);
  const keyFile = header.keyFile.length > 0 ? header.keyFile : given;
  makePrivateDirectory(path.join(directory, VAULT));
  writeFileAtomic(path.join(directory, VAULT_HEADER), header.vaultHeader);
  if (keyFile !== undefined) writeFileAtomic(path.join(directory, KEY_FILE), keyFile);
  try {
    const vault = await Vault.open(path.join(directory, VAULT), unlocking(options));
    return vault.deriveKey(PURPOSE, header.salt);
  } catch (error) {
    throw asRestoreError(error);
  }
}

/** What is wrong with the key of a backup, without the folder it is being restored in. */
function asRestoreError(error: unknown): unknown {
  if (!(error instanceof DeltapayError)) return error;
  if (error.code === "vault/key-file-missing")
    return new DeltapayError("backup/key-needed", "the backup was made without its vault's key file", {
      field: "keyFile",
      hint: "--key-file FILE: the vault.key of the folder it was made from",
    });
  if (error.code === "vault/wrong-key")
    return new DeltapayError("backup/wrong-key", "the backup was made under another passphrase or key file", {
      field: error.field === "passphrase" ? "passphrase" : "keyFile",
      hint: "use that of the folder when the backup was made",
    });
  return error.code === "vault/malformed" ? corrupt(error) : error;
}

/** @returns size of the file */
function unpackFile(reader: SealedReader, first: Uint8Array, directory: string): number {
  const length = Number(readUintLE(concatBytes(first, reader.take(3)), 0, 4));
  if (length > MAX_PATH) throw corrupt();
  const name = new TextDecoder().decode(reader.take(length));
  if (!isInside(name)) throw corrupt();
  const size = Number(readUintLE(reader.take(8), 0, 8));
  const target = path.join(directory, name);
  makePrivateDirectory(path.dirname(target));
  const descriptor = fs.openSync(target, "wx", 0o600);
  try {
    for (let left = size; left > 0; ) {
      const part = reader.read(left);
      if (part.length === 0) throw corrupt();
      fs.writeFileSync(descriptor, part);
      left -= part.length;
    }
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  return size;
}

/** Whether a path stays in the folder it is restored to, on any system. Else it may be any that a backup found. */
function isInside(name: string): boolean {
  return !name.includes("\\") && name.split("/").every((part) => !/^\.*$/.test(part));
}
