/** The time by which the chain judges deadlines, ticking. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { chainTime } from "../../../runner/chain/finality.ts";
import { useChain } from "./ChainProvider.tsx";

/** Unix seconds; undefined until the chain has told its time once. */
export function useNow(): number | undefined {
  const ctx = useChain();
  const offset = useQuery({
    queryKey: ["time", ctx.rpcUrl],
    // Of the two clocks only the difference is kept: it holds between looks.
    queryFn: async () => Number(await chainTime(ctx)) - Date.now() / 1000,
    refetchInterval: 15_000,
  });
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return offset.data === undefined ? undefined : Math.floor(Date.now() / 1000 + offset.data);
}
