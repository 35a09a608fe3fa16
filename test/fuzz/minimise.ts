/** A smaller input that breaks the same way. */

import { concatBytes } from "../../runner/protocol/bytes.ts";

/** Checks of a candidate, and milliseconds, one input is worth. */
const MOST_CHECKS = 400;
const MOST_MS = 20_000;

/**
 * Cuts pieces out, ever smaller ones, as long as it still breaks; then makes bytes zero.
 * @param breaks whether an input still breaks in the same way
 */
export async function minimise(
  input: Uint8Array,
  breaks: (candidate: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  const until = performance.now() + MOST_MS;
  let best = input;
  let checks = 0;
  const isWorth = (): boolean => checks < MOST_CHECKS && performance.now() < until;
  const better = async (candidate: Uint8Array): Promise<boolean> => {
    checks++;
    if (!(await breaks(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let size = best.length >> 1; size >= 1 && isWorth(); size >>= 1)
    for (let at = 0; at < best.length && isWorth(); ) {
      const shorter = concatBytes(best.subarray(0, at), best.subarray(at + size));
      if (!(await better(shorter))) at += size;
    }
  for (let at = 0; at < best.length && isWorth(); at++) {
    if (best[at] === 0) continue;
    const simpler = best.slice();
    simpler[at] = 0;
    await better(simpler);
  }
  return best;
}
