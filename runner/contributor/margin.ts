/** How long before a deadline serving ends, so that what is owed is proven and included in time. */

/** Milliseconds assumed for a proof before the first was made. */
const UNMEASURED_PROOF_MS = 2000;

/** Agreements that are settled before one, and their groups. */
export interface Queue {
  agreements: number;
  groups: number;
}

/** How old the chain's word on an agreement may be by default, milliseconds. */
export function defaultMaxAgeMs(isLocal: boolean): number {
  return isLocal ? 1000 : 5000;
}

/** Seconds a buyer has for its last receipt after serving ended. */
export function receiptGrace(isLocal: boolean): bigint {
  return isLocal ? 2n : 60n;
}

/**
 * Seconds for the last receipt, to prove every group and be included: by measured proving time, and off a local chain at
 * least 10 minutes.
 * @param slowestMs slowest proof made here lately
 */
export function settlementMargin(isLocal: boolean, groups: number, slowestMs = UNMEASURED_PROOF_MS): bigint {
  const proving = Math.ceil((groups * slowestMs) / 1000);
  const included = BigInt(isLocal ? proving + 5 : Math.max(600, 2 * proving + 300));
  return included + receiptGrace(isLocal);
}

/** Seconds until agreements that come first are proven and on their way: their proofs, and about a block each. */
export function queueSeconds(isLocal: boolean, queue: Queue, slowestMs = UNMEASURED_PROOF_MS): bigint {
  const proving = Math.ceil((queue.groups * slowestMs) / 1000);
  return BigInt(isLocal ? proving + queue.agreements : 2 * proving + 15 * queue.agreements);
}

/** Seconds the newest block of a chain in use may be old: the margin grows by its age. */
const HEAD_AGE = 60n;

/** Least seconds between the end of serving and a deadline that an offer must leave. */
export function leastWindow(isLocal: boolean, groups: number, slowestMs?: number): bigint {
  const unseen = BigInt(Math.ceil(defaultMaxAgeMs(isLocal) / 1000)) + (isLocal ? 0n : HEAD_AGE);
  return settlementMargin(isLocal, groups, slowestMs) + unseen;
}
