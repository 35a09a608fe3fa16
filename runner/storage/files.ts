/** Files that are either wholly there or not at all, whatever happens to the process or the machine. */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/** Whether an error of node:fs has this code (ENOENT, EEXIST, ...). */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Makes a folder that only its owner can enter; durably: what is stored in it later must not go with it. */
export function makePrivateDirectory(directory: string): void {
  const first = fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const above = path.dirname(path.resolve(first));
  for (let made = path.resolve(directory); made !== above; made = path.dirname(made))
    syncDirectory(path.dirname(made));
}

function stage(file: string, bytes: Uint8Array, mode: number): string {
  const staged = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString("hex")}`);
  const descriptor = fs.openSync(staged, "wx", mode);
  try {
    fs.writeFileSync(descriptor, bytes);
    fs.fsyncSync(descriptor);
  } catch (error) {
    // What a full disk took of it would keep the disk full.
    fs.rmSync(staged, { force: true });
    throw error;
  } finally {
    fs.closeSync(descriptor);
  }
  return staged;
}

/** Makes a rename durable. Windows has no such call and needs none. */
export function syncDirectory(directory: string): void {
  if (process.platform === "win32") return;
  const descriptor = fs.openSync(directory, "r");
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Writes a file durably and atomically: readers see the old bytes or the new. The folder exists. */
export function writeFileAtomic(file: string, bytes: Uint8Array, mode = 0o600): void {
  const staged = stage(file, bytes, mode);
  try {
    fs.renameSync(staged, file);
  } catch (error) {
    fs.rmSync(staged, { force: true });
    throw error;
  }
  syncDirectory(path.dirname(file));
}

/**
 * Writes a file durably unless it is there.
 * @returns false when it was there (also when another process was faster)
 */
export function createFileAtomic(file: string, bytes: Uint8Array, mode = 0o600): boolean {
  const staged = stage(file, bytes, mode);
  try {
    fs.linkSync(staged, file);
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    fs.rmSync(staged, { force: true });
  }
  syncDirectory(path.dirname(file));
  return true;
}

/** A file's bytes; undefined when it is not there. */
export function readFileIfThere(file: string): Uint8Array | undefined {
  try {
    return new Uint8Array(fs.readFileSync(file));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
