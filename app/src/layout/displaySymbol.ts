/** A token's own word for itself, where it can be shown. */

/** What a token must not be called here: it would pass for ETH. */
const TAKEN = new Set(["eth", "ether", "wei", "gwei"]);

/** The symbol, or T and the address's first digits where the symbol is misleading, unreadable or long. */
export function displaySymbol(symbol: string, address: string): string {
  const plain = /^[A-Za-z][A-Za-z0-9.]{0,11}$/.test(symbol) && !TAKEN.has(symbol.toLowerCase());
  return plain ? symbol : `T${address.slice(2, 8)}`;
}
