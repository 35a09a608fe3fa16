/** Typed data as the page hands it to a wallet. */
import type { Address } from "../../../runner/protocol/typedData.ts";

/** What a wallet is asked to sign, as `typedData` of the protocol makes it. */
export interface TypedData {
  domain: { name: string; version?: string; chainId: bigint; verifyingContract: Address };
  types: Record<string, readonly { name: string; type: string }[]>;
  primaryType: string;
  message: Record<string, unknown>;
}
