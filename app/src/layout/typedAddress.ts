/** An account as a person typed or pasted it. */
import { isAddress } from "viem";
import type { Address } from "../../../runner/protocol/typedData.ts";

/** Undefined for what is no address, is zero, or has a checksum that is wrong: money sent to a misspelt one is gone. */
export function typedAddress(text: string): Address | undefined {
  const typed = text.trim();
  return isAddress(typed) && BigInt(typed) !== 0n ? typed : undefined;
}
