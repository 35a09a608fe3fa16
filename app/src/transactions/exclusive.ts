/** One tab at a time does a thing: what a wallet is asked for twice is paid twice. */
import { DeltapayError } from "../../../runner/protocol/errors.ts";

/** The little of the Web Locks API that is used. */
export interface Locks {
  request<Result>(
    name: string,
    options: { ifAvailable: true },
    work: (lock: unknown) => Promise<Result>,
  ): Promise<Result>;
}

/**
 * Runs `work` unless another tab, or this one, is at the same thing. The browser frees the lock when a tab goes away.
 * @throws DeltapayError `tab/busy`, and what `work` throws
 */
export function exclusively<Result>(
  locks: Locks | undefined,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  if (locks === undefined)
    throw new DeltapayError("tab/no-locks", "this browser cannot keep two tabs from sending the same", {
      hint: "use a current browser, and open the page over https or on this machine",
    });
  return locks.request(`deltapay:${name}`, { ifAvailable: true }, (lock) => {
    if (lock === null)
      throw new DeltapayError("tab/busy", "this is under way already, here or in another tab of this page", {
        hint: "answer the wallet's request; or go on in that tab, or close it and try again",
      });
    return work();
  });
}
