/** What is allowed on a chain without value: test accounts, keys whose secrets are public, blocks final at once. */

/** Chain id of a Hardhat node. */
export const LOCAL_CHAIN_ID = 31337;

/** Whether a chain is a local one, where nothing has value. */
export function isLocalChain(chainId: number | bigint): boolean {
  return Number(chainId) === LOCAL_CHAIN_ID;
}
