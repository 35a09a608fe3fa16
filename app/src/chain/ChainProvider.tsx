/** Hands the configuration and the reading chain to every page. */
import { createContext, type ReactNode, useContext, useMemo } from "react";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import type { PageConfig } from "../config.ts";
import { readingContext } from "./chain.ts";

const Context = createContext<{ config: PageConfig; ctx: ChainContext } | undefined>(undefined);

export function ChainProvider({ config, children }: { config: PageConfig; children: ReactNode }) {
  const value = useMemo(() => ({ config, ctx: readingContext(config) }), [config]);
  return <Context value={value}>{children}</Context>;
}

function usePage(): { config: PageConfig; ctx: ChainContext } {
  const value = useContext(Context);
  if (value === undefined) throw new Error("outside ChainProvider");
  return value;
}

/** What the server of this page configured. */
export function usePageConfig(): PageConfig {
  return usePage().config;
}

/** The chain, for reading. */
export function useChain(): ChainContext {
  return usePage().ctx;
}
