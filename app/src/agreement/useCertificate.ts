/** Reads an agreement, replays its proofs in a worker and puts the certificate together. */

import { RELEASE_CONTRACTS, RELEASE_KEYS } from "virtual:deltapay-release";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { verifyBundle } from "../verification/verifyBundle.ts";
import { type Certificate, certificateOf } from "./certificate.ts";
import { checkFacts } from "./checks.ts";
import type { AgreementFacts } from "./facts.ts";
import { readFacts } from "./readFacts.ts";
import { assessReceipt, type NamedModule, type ReceiptStatus } from "./receipts.ts";
import { type Modules, useModules } from "./useModules.ts";

const RELEASE = { keys: RELEASE_KEYS, contracts: RELEASE_CONTRACTS };

export interface Replay {
  certificate: Certificate | undefined;
  /** Proofs replayed so far, and how many there are. */
  done: number;
  total: number;
  /** Milliseconds all of it took. */
  ms: number;
  error: unknown;
}

async function replay(
  ctx: ChainContext,
  facts: AgreementFacts,
  modules: readonly NamedModule[],
  onDone: (done: number) => void,
  signal: AbortSignal,
): Promise<Certificate> {
  const receipts: ReceiptStatus[] = [];
  let before = 0;
  for (const receipt of facts.receipts) {
    const check = (...[bundle, context]: Parameters<Parameters<typeof assessReceipt>[3]>) =>
      verifyBundle(bundle, context, { signal, onGroup: (_, done) => onDone(before + done) });
    receipts.push(await assessReceipt(facts, receipt, modules, check));
    before += facts.registration.groups;
    onDone(before);
  }
  return certificateOf(facts, await checkFacts(facts, ctx.deployment, RELEASE), receipts, modules);
}

/** Replays whenever there are new facts or names. */
function useReplay(facts: AgreementFacts | undefined, modules: readonly NamedModule[] | undefined): Replay {
  const ctx = useChain();
  const total = facts === undefined ? 0 : facts.receipts.length * facts.registration.groups;
  const [state, setState] = useState<Omit<Replay, "total">>({
    certificate: undefined,
    done: 0,
    ms: 0,
    error: undefined,
  });
  useEffect(() => {
    if (facts === undefined) return;
    const stop = new AbortController();
    const started = performance.now();
    const change = (changes: Partial<Replay>): void => {
      if (!stop.signal.aborted) setState((old) => ({ ...old, ...changes }));
    };
    change({ done: 0, error: undefined });
    replay(ctx, facts, modules ?? [], (done) => change({ done }), stop.signal)
      .then((certificate) => change({ certificate, ms: performance.now() - started }))
      .catch((error: unknown) => change({ error }));
    return () => stop.abort();
  }, [ctx, facts, modules]);
  return { ...state, total };
}

export interface CertificateState {
  facts: AgreementFacts | undefined;
  modules: Modules;
  replay: Replay;
  /** What is being read. */
  step: string | undefined;
  /** Why the chain could not be read. */
  error: unknown;
  /** Reads and replays everything again. */
  again(): void;
}

export function useCertificate(agreementId: Hex): CertificateState {
  const ctx = useChain();
  const [step, setStep] = useState<string>();
  const read = useQuery({
    queryKey: ["agreement", ctx.rpcUrl, ctx.deployment.escrow, agreementId],
    queryFn: () => readFacts(ctx, agreementId, setStep),
    // What was read is worth showing until it is read again on demand.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
    structuralSharing: false,
  });
  const modules = useModules(read.data?.registration);
  return {
    facts: read.data,
    modules,
    replay: useReplay(modules.busy ? undefined : read.data, modules.modules),
    step: read.isFetching ? (step ?? "asking the chain") : undefined,
    error: read.error,
    again: () => void read.refetch(),
  };
}
