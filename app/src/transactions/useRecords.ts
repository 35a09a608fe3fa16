/** Transactions of a purpose, kept up to date across tabs. */
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { useSending } from "../wallet/useWallet.ts";
import type { TransactionRecord } from "./record.ts";
import { parseRecords } from "./store.ts";

/** Oldest first; empty while no account is connected. */
export function useRecords(purpose: string): TransactionRecord[] {
  const store = useSending()?.store;
  const subscribe = useCallback(
    (onChange: () => void) => {
      const end = store?.subscribe(onChange);
      window.addEventListener("storage", onChange);
      return () => {
        end?.();
        window.removeEventListener("storage", onChange);
      };
    },
    [store],
  );
  const text = useSyncExternalStore(subscribe, () => store?.text(purpose) ?? "[]");
  return useMemo(() => parseRecords(text), [text]);
}
