/** One thing a person can do with a wallet: runs, fails in words, and goes on after a reload. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import { useSending, useWalletProblem } from "../wallet/useWallet.ts";
import { isUnderWay, type TransactionRecord } from "./record.ts";
import { resumeOnce, type Sending } from "./send.ts";
import { useRecords } from "./useRecords.ts";

export interface Action {
  /** Why it cannot be started now. */
  problem: DeltapayError | undefined;
  busy: boolean;
  error: unknown;
  /** Transactions of it, oldest first. */
  records: TransactionRecord[];
  run(): void;
}

/**
 * @param purpose names the action; what an earlier visit left under way is followed at once, and nothing more is sent
 * @param work does it; must be safe to repeat
 * @param onDone what follows, also when it was done on an earlier visit
 */
export function useAction(
  purpose: string,
  work: (sending: Sending) => Promise<unknown>,
  onDone?: () => Promise<void>,
): Action {
  const sending = useSending();
  const problem = useWalletProblem();
  const queries = useQueryClient();
  const records = useRecords(purpose);
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: undefined });
  const running = useRef(false);

  /** @param quietly what another tab does is followed there */
  const run = async (task: (sending: Sending) => Promise<unknown>, quietly = false): Promise<void> => {
    if (running.current || sending === undefined) return;
    running.current = true;
    setState({ busy: true, error: undefined });
    let failed: unknown;
    try {
      await task(sending);
      await onDone?.();
    } catch (error) {
      const otherTab = error instanceof DeltapayError && error.code === "tab/busy";
      failed = quietly && otherTab ? undefined : error;
    } finally {
      running.current = false;
      setState({ busy: false, error: failed });
      void queries.invalidateQueries();
    }
  };

  const left = records.at(-1);
  const leftUnderWay = left !== undefined && isUnderWay(left);
  const canFollow = sending !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it is seen that an earlier visit left something
  useEffect(() => {
    if (canFollow && leftUnderWay) void run((sending) => resumeOnce(sending, purpose), true);
  }, [purpose, canFollow]);

  return { problem, ...state, records, run: () => void run(work) };
}
