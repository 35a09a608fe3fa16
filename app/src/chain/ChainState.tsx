/** Above every page: what is wrong with the chain, as long as it is. */

import { RELEASE_CONTRACTS } from "virtual:deltapay-release";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { Failure } from "../layout/Failure.tsx";
import { useChain } from "./ChainProvider.tsx";
import { checkChain } from "./checkChain.ts";

export function ChainState() {
  const ctx = useChain();
  const check = useQuery({
    queryKey: ["chain", ctx.rpcUrl],
    queryFn: async () => {
      await checkChain(ctx, RELEASE_CONTRACTS);
      return true;
    },
    refetchInterval: (query) => (query.state.error === null ? 30_000 : 3000),
    retry: false,
  });
  const queries = useQueryClient();
  const away = check.error !== null;
  const wasAway = useRef(false);
  useEffect(() => {
    // What failed meanwhile is asked again at once, not when somebody presses a button.
    if (wasAway.current && !away) void queries.invalidateQueries();
    wasAway.current = away;
  }, [away, queries]);
  if (!away) return null;
  return (
    <Failure
      title="What this page shows may be old or wrong"
      error={check.error}
      onRetry={() => void check.refetch()}
    />
  );
}
