/** The buyer's own clock. */

/** Unix seconds now. */
export function unixNow(): bigint {
  return BigInt(Math.floor(Date.now() / 1000));
}
