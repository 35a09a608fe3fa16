/**
 * A pass as a file of a transcript: the very bytes that were hashed (protocol 5.2).
 *
 * magic 32 | passSalt 32 | T u32 | a module in manifest order: X int16 LE (T x dIn), Y int64 LE (T x dOut).
 */
import { concatBytes, tag, u32 } from "./bytes.ts";
import { encodeActivations, encodeAnswers } from "./encoding.ts";
import type { Pass } from "./fold.ts";
import { FILE_MAGICS } from "./tags.ts";

/** Name of a pass's file within the agreement's folder. */
export function passFileName(number: number): string {
  return `pass-${String(number).padStart(8, "0")}.bin`;
}

/** Bytes of a pass. */
export function encodePass(pass: Pass): Uint8Array {
  return concatBytes(
    tag(FILE_MAGICS.passTranscript),
    pass.passSalt,
    u32(pass.tokens),
    ...pass.X.flatMap((X, m) => [encodeActivations(X), encodeAnswers(pass.Y[m]!)]),
  );
}
