/** A contract that makes several calls in one transaction, as a party's wallet or automation may. */
import { type Address, concat, type Hex, numberToHex, pad } from "viem";

export interface BatchedCall {
  to: Address;
  data: Hex;
  value?: bigint;
}

/**
 * Creation code. For each [to 32 | value 32 | length 32 | data] of what it is given: calls, and reverts when that fails.
 * Money that comes without data it keeps.
 */
export const BATCH_CONTRACT: Hex = concat([
  "0x603880600b6000396000f3",
  // p = 0; until p is calldatasize
  "0x60005b368110600a57005b",
  // length of the call at p; its data to memory
  "0x80604001358082606001600037",
  // call(gas, to, value, 0, length, 0, 0), or revert
  "0x60006000826000856020013586355af160305760006000fd5b",
  // p += 96 + length
  "0x01606001600256",
]);

/** What to give the contract for these calls. */
export function batched(calls: readonly BatchedCall[]): Hex {
  return concat(
    calls.flatMap(({ to, data, value = 0n }) => [
      pad(to),
      numberToHex(value, { size: 32 }),
      numberToHex((data.length - 2) / 2, { size: 32 }),
      data,
    ]),
  );
}
