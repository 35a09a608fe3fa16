/**
 * A role's data folder as one file, and back. Databases are copied as they stand, also while in use; secrets stay as they
 * lie, encrypted. The vault's key file is left out unless asked for: with it the backup is as good as the secrets.
 *
 * Layout: magic 32 | a file: path length u32, path, size u64, SHA-256 32, bytes. Sorted by path; all integers little-endian.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { concatBytes, equalBytes, readUintLE, tag, u32, uintLE } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { sha256 } from "../protocol/hash.ts";
import { copyDatabase, openExisting } from "./database.ts";
import { makePrivateDirectory, readFileIfThere, writeFileAtomic } from "./files.ts";

const MAGIC = tag("deltapay/1/backup");
const MAX_PATH = 1024;

export interface BackupOptions {
  directory: string;
  /** Must not exist. */
  file: string;
  /** Take the vault's key file along: whoever has the backup can then read the secrets. Default false. */
  includeKeyFile?: boolean;
}

export interface BackupSummary {
  files: number;
  bytes: number;
  /** False when secrets can be read only with a passphrase or a key file kept elsewhere. */
  includesKeyFile: boolean;
}

const isKeyFile = (name: string): boolean => name.endsWith(".key");
/** Databases are copied whole, their logs with them; staged files and locks are nobody's data. */
const isTransient = (name: string): boolean =>
  /\.db-(wal|shm|journal)$/.test(name) || path.basename(name).startsWith(".");

/** Paths of all files of a folder, relative, with forward slashes, sorted. */
function filesOf(directory: string): string[] {
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .filter((name) => !isTransient(name))
    .sort();
}

/** A file's bytes; of a database those of a consistent copy. */
function contents(directory: string, name: string, staging: string): Uint8Array {
  const file = path.join(directory, name);
  if (!name.endsWith(".db")) return new Uint8Array(fs.readFileSync(file));
  const copy = path.join(staging, "copy.db");
  const database = openExisting(file);
  try {
    copyDatabase(database, copy);
    return new Uint8Array(fs.readFileSync(copy));
  } finally {
    database.close();
    fs.rmSync(copy, { force: true });
  }
}

/**
 * Writes a backup; the service may be running.
 * @throws DeltapayError `backup/nothing`, `backup/exists`
 */
export function backup({ directory, file, includeKeyFile = false }: BackupOptions): BackupSummary {
  if (!fs.existsSync(directory))
    throw new DeltapayError("backup/nothing", `${directory} is not there`, { field: "data" });
  if (fs.existsSync(file))
    throw new DeltapayError("backup/exists", `${file} is already there`, {
      field: "file",
      hint: "give another name: backups are not overwritten",
    });
  makePrivateDirectory(path.dirname(path.resolve(file)));
  const names = filesOf(directory).filter((name) => includeKeyFile || !isKeyFile(name));
  const staging = fs.mkdtempSync(`${path.resolve(file)}.part-`);
  try {
    const staged = path.join(staging, "backup");
    const descriptor = fs.openSync(staged, "wx", 0o600);
    let bytes = 0;
    try {
      fs.writeSync(descriptor, MAGIC);
      for (const name of names) {
        const data = contents(directory, name, staging);
        const label = new TextEncoder().encode(name);
        fs.writeFileSync(
          descriptor,
          concatBytes(u32(label.length), label, uintLE(BigInt(data.length), 8), sha256(data)),
        );
        fs.writeFileSync(descriptor, data);
        bytes += data.length;
      }
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(staged, file);
    return { files: names.length, bytes, includesKeyFile: names.some(isKeyFile) };
  } finally {
    fs.rmSync(staging, { recursive: true, force: true });
  }
}

/**
 * Brings a backup back into a folder that is not there or empty. A key file that was left out must be put back by hand.
 * @throws DeltapayError `backup/nothing`, `backup/not-empty`, `backup/corrupt`
 */
export function restore({ file, directory }: { file: string; directory: string }): BackupSummary {
  const bytes = readFileIfThere(file);
  if (bytes === undefined)
    throw new DeltapayError("backup/nothing", `${file} is not there`, { field: "file" });
  if (fs.existsSync(directory) && fs.readdirSync(directory).length > 0)
    throw new DeltapayError("backup/not-empty", `${directory} holds files already`, {
      field: "data",
      hint: "restore into a new folder",
    });
  const entries = parse(bytes);
  for (const { name, data } of entries) {
    const target = path.join(directory, name);
    makePrivateDirectory(path.dirname(target));
    writeFileAtomic(target, data);
  }
  return {
    files: entries.length,
    bytes: entries.reduce((sum, { data }) => sum + data.length, 0),
    includesKeyFile: entries.some(({ name }) => isKeyFile(name)),
  };
}

function parse(bytes: Uint8Array): { name: string; data: Uint8Array }[] {
  const corrupt = (): DeltapayError =>
    new DeltapayError("backup/corrupt", "the backup is damaged, cut off or not one of ours", {
      field: "file",
    });
  if (!equalBytes(bytes.subarray(0, 32), MAGIC)) throw corrupt();
  const entries: { name: string; data: Uint8Array }[] = [];
  let at = 32;
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw corrupt();
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const length = Number(readUintLE(take(4), 0, 4));
    if (length > MAX_PATH) throw corrupt();
    const name = new TextDecoder().decode(take(length));
    const size = Number(readUintLE(take(8), 0, 8));
    const hash = take(32);
    const data = take(size);
    if (!isInside(name) || !equalBytes(sha256(data), hash)) throw corrupt();
    entries.push({ name, data });
  }
  return entries;
}

/** Whether a path stays in the folder it is restored to. */
function isInside(name: string): boolean {
  return (
    /^[a-zA-Z0-9._/-]+$/.test(name) && name.split("/").every((part) => part !== "" && !/^\.+$/.test(part))
  );
}
