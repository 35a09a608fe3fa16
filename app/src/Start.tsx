/** What happens before there is a page: the configuration is fetched, or it is said why there is none. */
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { WagmiProvider } from "wagmi";
import { App } from "./App.tsx";
import { ChainProvider } from "./chain/ChainProvider.tsx";
import { loadConfig, type PageConfig } from "./config.ts";
import { Failure } from "./layout/Failure.tsx";
import { walletConfig } from "./wallet/wagmi.ts";

const queries = new QueryClient({
  defaultOptions: { queries: { retry: 1, refetchOnWindowFocus: false, networkMode: "always" } },
});

export function Start() {
  return (
    <QueryClientProvider client={queries}>
      <Configured />
    </QueryClientProvider>
  );
}

function Configured() {
  const config = useQuery({ queryKey: ["config"], queryFn: loadConfig, staleTime: Number.POSITIVE_INFINITY });
  if (config.data !== undefined) return <Connected config={config.data} />;
  return (
    <main className="start">
      <h1>deltapay</h1>
      {config.error === null ? (
        <p role="status">Starting…</p>
      ) : (
        <Failure error={config.error} onRetry={() => void config.refetch()} />
      )}
    </main>
  );
}

function Connected({ config }: { config: PageConfig }) {
  const wallets = useMemo(() => walletConfig(config), [config]);
  return (
    <WagmiProvider config={wallets}>
      <ChainProvider config={config}>
        <App />
      </ChainProvider>
    </WagmiProvider>
  );
}
