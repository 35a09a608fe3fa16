/** A bundle on its way to the escrow: read, held against its agreement, each proof checked in a worker. */

import { RELEASE_KEYS } from "virtual:deltapay-release";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { untilRead } from "../chain/chain.ts";
import type { GroupVerdict } from "../verification/checkBundle.ts";
import { verifyBundle } from "../verification/verifyBundle.ts";
import { type BundleContext, readBundleContext } from "./bundleContext.ts";

interface Progress {
  /** Groups checked so far, by ascending group. */
  verdicts: GroupVerdict[];
  /** Every proof holds. Only then is anything sent. */
  complete: boolean;
  busy: boolean;
  error: unknown;
}

export interface Verification extends Partial<BundleContext>, Progress {}

const NOTHING: Progress = { verdicts: [], complete: false, busy: false, error: undefined };

export function useVerifiedBundle(bundle: ProofBundle): Verification {
  const ctx = useChain();
  const read = useQuery({
    queryKey: ["bundle-context", ctx.rpcUrl, bundle.agreementId],
    queryFn: () => readBundleContext(ctx, RELEASE_KEYS, bundle),
    refetchInterval: untilRead(ctx.chainId),
  });
  // What was read again and is the same is the same object: nothing is verified twice.
  const context = read.data?.context;
  const [state, setState] = useState<Progress>(NOTHING);
  useEffect(() => {
    if (context === undefined) return;
    const stop = new AbortController();
    const change = (changes: Partial<Progress>): void => {
      if (!stop.signal.aborted) setState((before) => ({ ...before, ...changes }));
    };
    setState({ ...NOTHING, busy: true });
    verifyBundle(bundle, context, {
      signal: stop.signal,
      onGroup: (group) => {
        if (!stop.signal.aborted)
          setState((before) => ({ ...before, verdicts: [...before.verdicts, group] }));
      },
    })
      .then(({ groups, complete }) => change({ verdicts: groups, complete }))
      .catch((error: unknown) => change({ error }))
      .finally(() => change({ busy: false }));
    return () => stop.abort();
  }, [bundle, context]);
  if (read.data !== undefined) return { ...state, ...read.data };
  return { ...NOTHING, busy: read.error === null, error: read.error ?? undefined };
}
