/** Connect, disconnect, and the right chain. */
import { useConnect, useConnection, useConnectors, useDisconnect, useSwitchChain } from "wagmi";
import { usePageConfig } from "../chain/ChainProvider.tsx";
import { AddressText } from "../layout/AddressText.tsx";
import { walletError } from "./errors.ts";

export function WalletBar() {
  const connection = useConnection();
  return (
    <section className="wallet" aria-label="Wallet">
      {connection.status === "connected" ? <Account /> : <Connect status={connection.status} />}
    </section>
  );
}

function Connect({ status }: { status: string }) {
  const connectors = useConnectors();
  const connect = useConnect();
  if (connectors.length === 0)
    return (
      <p className="fine" role="status">
        No wallet found. Install a wallet extension to sign and send; reading works without.
      </p>
    );
  return (
    <>
      {connectors.map((connector) => (
        <button
          key={connector.uid}
          type="button"
          disabled={connect.isPending || status === "reconnecting"}
          onClick={() => connect.mutate({ connector })}
        >
          {connector.icon !== undefined && <img src={connector.icon.trim()} alt="" width="16" height="16" />}
          Connect {connector.name}
        </button>
      ))}
      {connect.error !== null && (
        <p className="fine bad-text" role="alert">
          {walletError(connect.error).message}
        </p>
      )}
    </>
  );
}

function Account() {
  const { address, chainId, connector } = useConnection();
  const disconnect = useDisconnect();
  const config = usePageConfig();
  return (
    <>
      {chainId !== config.chainId && <WrongChain chainId={chainId} />}
      {address !== undefined && <AddressText address={address} label={`Account in ${connector?.name}`} />}
      <button type="button" className="quiet" onClick={() => disconnect.mutate({})}>
        Disconnect
      </button>
    </>
  );
}

function WrongChain({ chainId }: { chainId: number | undefined }) {
  const config = usePageConfig();
  const switchChain = useSwitchChain();
  return (
    <span className="wrong-chain" role="alert">
      The wallet is on chain {chainId ?? "unknown"}, this page on {config.chainId}.{" "}
      <button
        type="button"
        disabled={switchChain.isPending}
        onClick={() => switchChain.mutate({ chainId: config.chainId })}
      >
        Switch to chain {config.chainId}
      </button>
      {switchChain.error !== null && <span> {walletError(switchChain.error).message}</span>}
    </span>
  );
}
