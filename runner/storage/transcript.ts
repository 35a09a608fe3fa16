/** Full transcripts, kept by either party when asked for, for audits: one file a pass. Large. */
import * as path from "node:path";
import type { Pass } from "../protocol/fold.ts";
import { encodePass, passFileName } from "../protocol/passFile.ts";
import { makePrivateDirectory, writeFileAtomic } from "./files.ts";

/** Name of the opening file within the agreement's folder. */
export const OPENING_FILE = "opening.bin";

/** Writes a finished pass durably; the same pass written again after a crash is the same file. */
export function keepPass(directory: string, number: number, pass: Pass): void {
  makePrivateDirectory(directory);
  writeFileAtomic(path.join(directory, passFileName(number)), encodePass(pass));
}

/** Writes the opening file of the last receipt beside the passes. */
export function keepOpening(directory: string, opening: Uint8Array): void {
  makePrivateDirectory(directory);
  writeFileAtomic(path.join(directory, OPENING_FILE), opening);
}
