/** What is allowed on a chain without value: test accounts, keys whose secrets are public, blocks final at once. */

import { LOCAL_CHAIN_ID } from "../protocol/keyTrust.ts";

/** Whether a chain is a local one, where nothing has value. */
export function isLocalChain(chainId: number | bigint): boolean {
  return Number(chainId) === LOCAL_CHAIN_ID;
}
