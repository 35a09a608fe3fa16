/**
 * A pass as a file, kept for audits when asked for: FOLDER/AGREEMENT/pass-00000001.bin, as the contributor keeps it.
 *
 * magic 32 | passSalt 32 | T u32 | a module in manifest order: X int16 LE (T x dIn), Y int64 LE (T x dOut): the very bytes
 * that were hashed.
 */
import * as path from "node:path";
import { concatBytes, type Hex, tag, u32 } from "../protocol/bytes.ts";
import { encodeActivations, encodeAnswers } from "../protocol/encoding.ts";
import type { Pass } from "../protocol/fold.ts";
import { makePrivateDirectory, writeFileAtomic } from "../storage/files.ts";

const MAGIC = tag("deltapay/1/pass-transcript");

/** Bytes of a pass. */
export function encodePass(pass: Pass): Uint8Array {
  return concatBytes(
    MAGIC,
    pass.passSalt,
    u32(pass.tokens),
    ...pass.X.flatMap((X, m) => [encodeActivations(X), encodeAnswers(pass.Y[m]!)]),
  );
}

/** Writes a pass durably; the same pass written again after a crash is the same file. */
export function keepPass(folder: string, agreementId: Hex, number: number, pass: Pass): void {
  const directory = path.join(folder, agreementId);
  makePrivateDirectory(directory);
  writeFileAtomic(path.join(directory, `pass-${String(number).padStart(8, "0")}.bin`), encodePass(pass));
}
