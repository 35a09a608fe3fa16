/** Which blocks can no longer change, and what time it is on a chain. */
import { DeltapayError } from "../protocol/errors.ts";
import type { ChainConnection } from "./connection.ts";
import { onChain } from "./errors.ts";
import { isLocalChain } from "./localChain.ts";

/** Number of the newest final block: the `finalized` tag; on a local chain the newest block. */
export function finalBlock(chain: ChainConnection): Promise<bigint> {
  const { publicClient, chainId } = chain;
  return onChain(chain, async () => {
    if (isLocalChain(chainId)) return publicClient.getBlockNumber();
    return (await publicClient.getBlock({ blockTag: "finalized" })).number;
  });
}

/**
 * Waits until a block is final (about a quarter of an hour on Ethereum, at once on a local chain).
 * @throws DeltapayError `chain/not-final` after `timeoutMs`
 */
export async function waitUntilFinal(
  chain: ChainConnection,
  blockNumber: bigint,
  options: { timeoutMs?: number; onWait?: (final: bigint) => void } = {},
): Promise<void> {
  const deadline = Date.now() + (options.timeoutMs ?? 3_600_000);
  for (;;) {
    const final = await finalBlock(chain);
    if (final >= blockNumber) return;
    if (Date.now() > deadline)
      throw new DeltapayError(
        "chain/not-final",
        `block ${blockNumber} is not final; the newest final one is ${final}`,
        {
          hint: "try again later",
        },
      );
    options.onWait?.(final);
    const pause = isLocalChain(chain.chainId) ? 50 : 5000;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Unix seconds of the newest final block: what is over by then is over for good. */
export function finalTime(chain: ChainConnection): Promise<bigint> {
  if (isLocalChain(chain.chainId)) return chainTime(chain);
  return onChain(chain, async () => (await chain.publicClient.getBlock({ blockTag: "finalized" })).timestamp);
}

/** Unix seconds by which the chain judges deadlines in its next block. */
export function chainTime(chain: ChainConnection): Promise<bigint> {
  // A local chain mines only when asked: its newest block may be hours old.
  const blockTag = isLocalChain(chain.chainId) ? "pending" : "latest";
  return onChain(chain, async () => (await chain.publicClient.getBlock({ blockTag })).timestamp);
}
