/** The registry: every adapter there is, from the chain's own events. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useChain } from "../chain/ChainProvider.tsx";
import { pollingInterval } from "../chain/chain.ts";
import { KeyBadge, KeyWords, releaseKeyOf } from "../key/KeyState.tsx";
import { AddressText, HashText } from "../layout/AddressText.tsx";
import { Failure } from "../layout/Failure.tsx";
import { Facts, Notice, Panel } from "../layout/Panel.tsx";
import { type ListedAdapter, readAdapters } from "./readRegistry.ts";

export function useAdapters() {
  const ctx = useChain();
  return useQuery({
    queryKey: ["adapters", ctx.rpcUrl, ctx.deployment.registry],
    queryFn: () => readAdapters(ctx),
    refetchInterval: 4 * pollingInterval(ctx.chainId),
  });
}

export function AdaptersPage() {
  const adapters = useAdapters();
  const [filter, setFilter] = useState("");
  const wanted = filter.trim().toLowerCase();
  const shown = adapters.data?.filter(
    ({ adapterId, contributor, uri }) =>
      adapterId.includes(wanted) ||
      contributor.toLowerCase().includes(wanted) ||
      uri.toLowerCase().includes(wanted),
  );
  return (
    <>
      <p className="lead">
        Every adapter that was ever registered, read from the chain. Registered means committed to, not good:
        try before you pay much.
      </p>
      {adapters.error !== null && <Failure title="The registry could not be read" error={adapters.error} />}
      {adapters.isPending && <p role="status">Reading the registry…</p>}
      {adapters.data?.length === 0 && (
        <Notice title="Nothing yet">
          <p>No adapter is registered on this chain. A contributor registers one with the command:</p>
          <p>
            <code>deltapay adapter register DIR --model MODEL.onnx</code>
          </p>
        </Notice>
      )}
      {adapters.data !== undefined && adapters.data.length > 3 && (
        <div className="field">
          <label htmlFor="filter">Find by id, contributor or address of the service</label>
          <input id="filter" value={filter} onChange={(event) => setFilter(event.target.value)} />
        </div>
      )}
      {shown?.map((adapter) => (
        <AdapterPanel key={adapter.adapterId} adapter={adapter} />
      ))}
      {wanted !== "" && shown?.length === 0 && <p>No adapter matches.</p>}
    </>
  );
}

function AdapterPanel({ adapter }: { adapter: ListedAdapter }) {
  const { adapterId, contributor, verifier, verifierCodeHash, groups, uri, opened } = adapter;
  const key = releaseKeyOf(verifier, verifierCodeHash);
  return (
    <Panel
      title={
        <>
          Adapter <HashText value={adapterId} />
        </>
      }
      end={<KeyBadge releaseKey={key} />}
    >
      <Facts
        facts={[
          ["Contributor", <AddressText key="c" address={contributor} />],
          ["Proofs in a settlement", groups],
          ["Agreements", `${opened} opened, ${adapter.settledAgreements} paid`],
          ["Tokens proven and paid", adapter.settledTokens.toLocaleString()],
          ["Verifier", <AddressText key="v" address={verifier} />],
          ["Manifest", <HashText key="m" value={adapter.manifestHash} />],
          ["Registered in block", adapter.blockNumber.toString()],
          ["Said to be served at", <code key="u">{uri.slice(0, 200) || "nowhere"}</code>],
        ]}
      />
      <KeyWords releaseKey={key} />
    </Panel>
  );
}
