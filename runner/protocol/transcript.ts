/** The session's hash chain and the challenges drawn from it (protocol 5). Integers in hashes are u32 LE. */
import { u32 } from "./bytes.ts";
import { sha, wide, xof } from "./hash.ts";
import { TAGS } from "./tags.ts";

/** head_0 = sha("transcript", agreementId). */
export function initialHead(agreementId: Uint8Array): Uint8Array {
  return sha(TAGS.transcript, agreementId);
}

/** ioHash = sha("io", passSalt, m, T, X bytes, Y bytes). The lengths of X and Y follow from T and the manifest. */
export function ioHash(
  passSalt: Uint8Array,
  m: number,
  tokens: number,
  X: Uint8Array,
  Y: Uint8Array,
): Uint8Array {
  return sha(TAGS.io, passSalt, u32(m), u32(tokens), X, Y);
}

/** head_p = sha("head", head_{p-1}, ioHash_0 .. ioHash_{M-1}). */
export function nextHead(head: Uint8Array, ioHashes: readonly Uint8Array[]): Uint8Array {
  return sha(TAGS.head, head, ...ioHashes);
}

/** rho_{p,m}: T 128-bit weights that fold a pass's tokens, as a 16T-byte stream. */
export function foldWeights(head: Uint8Array, m: number, tokens: number): Uint8Array {
  return xof(sha(TAGS.fold, head, u32(m)), tokens);
}

/** delta: one 128-bit weight an output of every module, in module order, as a byte stream. */
export function deltaWeights(head: Uint8Array, outputs: number): Uint8Array {
  return xof(sha(TAGS.delta, head), outputs);
}

/** t_g = wide("statement-blind", salt of the last pass, head, g): hides V from those who watch the chain. */
export function statementBlind(passSalt: Uint8Array, head: Uint8Array, group: number): bigint {
  return wide(TAGS.statementBlind, passSalt, head, u32(group));
}
