/** A party's session state as bytes, for its database. Not sent anywhere; `openingFile` shares the same numbers. */
import { concatBytes, readUintLE, takeFrom, u32, uintLE } from "./bytes.ts";
import { DeltapayError, ensure } from "./errors.ts";
import type { SessionState } from "./fold.ts";
import type { AdapterLayout } from "./layout.ts";
import { decodeSums, encodeSums, SUM_BYTES } from "./signedSums.ts";
import { finish } from "./steps.ts";

/** Layout: passes u64 | tokens u64 | head 32 | salt length u32, salt | a module: x-bar dIn*32, y-bar dOut*32 (`signedSums`). */
export function encodeState(state: SessionState): Uint8Array {
  return finish(stateSteps(state));
}

/** As `encodeState`, pausing after every module. */
export function* stateSteps(state: SessionState): Generator<void, Uint8Array> {
  const parts = [
    uintLE(BigInt(state.passes), 8),
    uintLE(BigInt(state.tokens), 8),
    state.head,
    u32(state.lastSalt.length),
    state.lastSalt,
  ];
  for (const [m, xBar] of state.xBar.entries()) {
    parts.push(encodeSums(xBar), encodeSums(state.yBar[m]!));
    yield;
  }
  return concatBytes(...parts);
}

/** @throws DeltapayError `session/bad-state` when the bytes do not fit the layout */
export function decodeState(layout: AdapterLayout, bytes: Uint8Array): SessionState {
  const sums = layout.modules.reduce((total, { dIn, dOut }) => total + dIn + dOut, 0) * SUM_BYTES;
  const saltBytes = bytes.length - 52 - sums;
  if ((saltBytes !== 0 && saltBytes !== 32) || readUintLE(bytes, 48, 4) !== BigInt(saltBytes))
    throw new DeltapayError("session/bad-state", "the stored session state does not fit its adapter", {
      field: "state",
    });
  const take = takeFrom(bytes, 52 + saltBytes);
  const sumsOf = (count: number): bigint[] => decodeSums(take(count * SUM_BYTES));
  const parts = layout.modules.map(({ dIn, dOut }) => ({ xBar: sumsOf(dIn), yBar: sumsOf(dOut) }));
  return {
    ...decodeProgress(bytes),
    lastSalt: bytes.slice(52, 52 + saltBytes),
    xBar: parts.map(({ xBar }) => xBar),
    yBar: parts.map(({ yBar }) => yBar),
  };
}

/** How far a stored session is, without its sums. @throws DeltapayError `session/bad-state` */
export function decodeProgress(bytes: Uint8Array): Pick<SessionState, "passes" | "tokens" | "head"> {
  const counted = (at: number): number => {
    const value = readUintLE(bytes, at, 8);
    ensure(value <= Number.MAX_SAFE_INTEGER, "session/bad-state", "the stored session counts beyond 2^53", {
      field: "state",
    });
    return Number(value);
  };
  return { passes: counted(0), tokens: counted(8), head: bytes.slice(16, 48) };
}
