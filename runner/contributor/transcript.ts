/**
 * Full transcripts, kept when asked for, for audits: one file a pass.
 * Layout: magic 32 | passSalt 32 | T u32 | a module: X int16 LE, Y int64 LE.
 */
import * as path from "node:path";
import { concatBytes, tag, u32 } from "../protocol/bytes.ts";
import { encodeActivations, encodeAnswers } from "../protocol/encoding.ts";
import type { Pass } from "../protocol/fold.ts";
import { makePrivateDirectory, writeFileAtomic } from "../storage/files.ts";

const MAGIC = tag("deltapay/1/pass-transcript");

/** Writes a finished pass durably; writing it again changes nothing. */
export function writeTranscript(directory: string, number: number, pass: Pass): void {
  makePrivateDirectory(directory);
  writeFileAtomic(
    path.join(directory, `pass-${String(number).padStart(8, "0")}.bin`),
    concatBytes(
      MAGIC,
      pass.passSalt,
      u32(pass.tokens),
      ...pass.X.flatMap((X, m) => [encodeActivations(X), encodeAnswers(pass.Y[m]!)]),
    ),
  );
}
