/** A bundle on its way to the escrow: read, held against its agreement, each proof checked in a worker. */

import { RELEASE_KEYS } from "virtual:deltapay-release";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import type { GroupVerdict, VerificationContext } from "../verification/checkBundle.ts";
import { verifyBundle } from "../verification/verifyBundle.ts";
import { type BundleContext, readBundleContext } from "./bundleContext.ts";

export interface Verification extends Partial<BundleContext> {
  /** Groups checked so far, by ascending group. */
  verdicts: GroupVerdict[];
  /** Every proof holds. Only then is anything sent. */
  complete: boolean;
  busy: boolean;
  error: unknown;
}

const NOTHING: Verification = { verdicts: [], complete: false, busy: false, error: undefined };

/** @param modules names for what each group covers; must be the same array between renders */
export function useVerifiedBundle(
  bundle: ProofBundle | undefined,
  modules: VerificationContext["modules"],
): Verification {
  const ctx = useChain();
  const queries = useQueryClient();
  const [state, setState] = useState<Verification>(NOTHING);
  // biome-ignore lint/correctness/useExhaustiveDependencies: names that arrive later are no reason to verify again
  useEffect(() => {
    if (bundle === undefined) {
      setState(NOTHING);
      return;
    }
    const stop = new AbortController();
    const change = (changes: Partial<Verification>): void => {
      if (!stop.signal.aborted) setState((before) => ({ ...before, ...changes }));
    };
    setState({ ...NOTHING, busy: true });
    const verify = async (): Promise<void> => {
      const read = await readBundleContext(ctx, RELEASE_KEYS, bundle, modules);
      change(read);
      const verdict = await verifyBundle(bundle, read.context, {
        signal: stop.signal,
        onGroup: (group) => {
          if (!stop.signal.aborted)
            setState((before) => ({ ...before, verdicts: [...before.verdicts, group] }));
        },
      });
      change({ verdicts: verdict.groups, complete: verdict.complete });
    };
    verify()
      .catch((error: unknown) => change({ error }))
      .finally(() => change({ busy: false }));
    return () => stop.abort();
  }, [ctx, queries, bundle]);
  return state;
}
