/**
 * The opening file of a receipt: what its statements V are computed from. Secret to the two parties.
 *
 * magic 32 | agreementId 32 | manifest hash 32 | passes u64 | tokens u64 | head 32 | G u32 | M u32 | t_g 32 LE a group |
 * a module in manifest order: dIn u32, dOut u32, x-bar dIn * 32, y-bar dOut * 32 (`signedSums`).
 */
import {
  concatBytes,
  equalBytes,
  fromHex,
  type Hex,
  readUintLE,
  tag,
  takeFrom,
  toHex,
  u32,
  uintLE,
} from "./bytes.ts";
import { DeltapayError } from "./errors.ts";
import type { SessionState } from "./fold.ts";
import { decodeSums, encodeSums, SUM_BYTES } from "./signedSums.ts";
import { FILE_MAGICS } from "./tags.ts";
import { statementBlind } from "./transcript.ts";

const MAGIC = tag(FILE_MAGICS.opening);
const HEADER = 32 * 3 + 8 + 8 + 32 + 4 + 4;

export interface Opening {
  agreementId: Hex;
  manifestHash: Hex;
  passes: bigint;
  tokens: bigint;
  head: Uint8Array;
  /** t of every group. */
  t: bigint[];
  /** Per module, lengths dIn and dOut. */
  xBar: bigint[][];
  yBar: bigint[][];
}

/** The opening of the receipt that covers exactly this state. */
export function openingOf(agreementId: Hex, manifestHash: Hex, groups: number, state: SessionState): Opening {
  return {
    agreementId,
    manifestHash,
    passes: BigInt(state.passes),
    tokens: BigInt(state.tokens),
    head: state.head,
    t: Array.from({ length: groups }, (_, g) => statementBlind(state.lastSalt, state.head, g)),
    xBar: state.xBar,
    yBar: state.yBar,
  };
}

/** Bytes of an opening file. */
export function encodeOpening(opening: Opening): Uint8Array {
  return concatBytes(
    MAGIC,
    fromHex(opening.agreementId, 32),
    fromHex(opening.manifestHash, 32),
    uintLE(opening.passes, 8),
    uintLE(opening.tokens, 8),
    opening.head,
    u32(opening.t.length),
    u32(opening.xBar.length),
    ...opening.t.map((t) => uintLE(t, 32)),
    ...opening.xBar.flatMap((xBar, m) => {
      const yBar = opening.yBar[m]!;
      return [u32(xBar.length), u32(yBar.length), encodeSums(xBar), encodeSums(yBar)];
    }),
  );
}

/**
 * Parses an opening file.
 * @throws DeltapayError `opening/malformed`
 */
export function decodeOpening(bytes: Uint8Array): Opening {
  const need = (length: number): void => {
    if (bytes.length < length)
      throw new DeltapayError("opening/malformed", "the opening file ends too early", { field: "opening" });
  };
  need(HEADER);
  if (!equalBytes(bytes.subarray(0, 32), MAGIC))
    throw new DeltapayError("opening/malformed", "this is not an opening file", { field: "opening.magic" });
  let at = 32;
  const take = (length: number): Uint8Array => {
    need(at + length);
    at += length;
    return takeFrom(bytes, at - length)(length).slice();
  };
  const uint = (length: number): bigint => readUintLE(take(length), 0, length);
  const sums = (count: number): bigint[] => {
    need(at + count * SUM_BYTES);
    return decodeSums(take(count * SUM_BYTES));
  };
  const head = {
    agreementId: toHex(take(32)),
    manifestHash: toHex(take(32)),
    passes: uint(8),
    tokens: uint(8),
    head: take(32),
  };
  const [groups, modules] = [Number(uint(4)), Number(uint(4))];
  need(at + 32 * groups + 8 * modules);
  const t = Array.from({ length: groups }, () => uint(32));
  const parts = Array.from({ length: modules }, () => {
    const [dIn, dOut] = [Number(uint(4)), Number(uint(4))];
    return { xBar: sums(dIn), yBar: sums(dOut) };
  });
  if (at !== bytes.length)
    throw new DeltapayError("opening/malformed", "bytes follow the opening", { field: "opening" });
  return { ...head, t, xBar: parts.map(({ xBar }) => xBar), yBar: parts.map(({ yBar }) => yBar) };
}
