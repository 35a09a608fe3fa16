/** A contributor's page: adapters, offers, sessions, proofs, money. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { zeroAddress } from "viem";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { loraEscrowAbi } from "../../../runner/chain/generated/abi.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import type { Address } from "../../../runner/protocol/typedData.ts";
import type { AdminAdapters, AdminSession } from "../../../runner/wire/admin.ts";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import { useAdapters } from "../adapters/AdaptersPage.tsx";
import { type ListedAdapter, readAgreements } from "../adapters/readRegistry.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { pollingInterval } from "../chain/chain.ts";
import { KeyBadge, releaseKeyOf } from "../key/KeyState.tsx";
import { AddressText, HashText } from "../layout/AddressText.tsx";
import { Amount } from "../layout/Amount.tsx";
import { Failure } from "../layout/Failure.tsx";
import { Badge, Facts, Notice, Panel } from "../layout/Panel.tsx";
import { Deadline } from "../layout/Time.tsx";
import { WithdrawPanel } from "../money/WithdrawPanel.tsx";
import { routeHash } from "../routes.ts";
import type { ServiceClient } from "../service/client.ts";
import {
  useOwnAdapters,
  useServiceAdapters,
  useServiceSessions,
  useServices,
} from "../service/useServices.ts";
import { type ChosenBundle, SubmitPanel, useChosenBundle } from "../submission/SubmitPanel.tsx";
import { useAccount } from "../wallet/useWallet.ts";
import { AdapterPanel } from "./AdapterPanel.tsx";
import { SessionPanel } from "./SessionPanel.tsx";

export function ContributorPage() {
  const services = useServices();
  const own = useOwnAdapters();
  const chosen = useChosenBundle();
  const adapterId = useAdapterOf(chosen.bundle);
  const offered = own.flatMap(({ said }) =>
    said.adapters.flatMap(({ offers }) => offers.map(({ offer }) => offer.token)),
  );
  const paidIn = useTokensPaidIn();
  return (
    <>
      <p className="lead">
        Your adapters, what they are sold for, who is being served, and the money for what was proven.
      </p>
      {services.length === 0 && (
        <Notice title="No service is connected">
          <p>
            This page was opened without a service of yours. Proofs can still be submitted from a file. To see
            adapters and sessions live, start your service with <code>deltapay serve --admin</code> and open
            the page it names.
          </p>
        </Notice>
      )}
      {services.map((service) => (
        <Service key={service.adminUrl} service={service} chosen={chosen} />
      ))}
      <div id="submit">
        <SubmitPanel chosen={chosen} adapterId={adapterId} />
      </div>
      <WithdrawPanel tokens={[...offered, ...paidIn]} />
      {services.length === 0 && <RegisteredByMe />}
    </>
  );
}

/** The adapter a bundle's agreement is on; undefined until the chain has told. */
function useAdapterOf(bundle: ProofBundle | undefined): Hex | undefined {
  const ctx = useChain();
  const agreement = useQuery({
    queryKey: ["adapter-of", ctx.rpcUrl, bundle?.agreementId],
    queryFn: async () => {
      const { adapterId } = await ctx.publicClient.readContract({
        address: ctx.deployment.escrow,
        abi: loraEscrowAbi,
        functionName: "agreements",
        args: [bundle!.agreementId],
      });
      return adapterId;
    },
    enabled: bundle !== undefined,
  });
  return agreement.data;
}

/** The connected account's adapters, from the chain; undefined until it has told. */
function useMyAdapters(): ListedAdapter[] | undefined {
  const account = useAccount();
  const adapters = useAdapters();
  return adapters.data?.filter(({ contributor }) => contributor.toLowerCase() === account?.toLowerCase());
}

/** Tokens that agreements on the account's adapters were paid in: a service is not needed to have earned them. */
function useTokensPaidIn(): Address[] {
  const ctx = useChain();
  const mine = useMyAdapters() ?? [];
  const agreements = useQueries({ queries: mine.map(({ adapterId }) => agreementsOf(ctx, adapterId)) });
  return agreements.flatMap(({ data = [] }) => data.map(({ token }) => token));
}

/** The query of an adapter's agreements. */
function agreementsOf(ctx: ChainContext, adapterId: Hex) {
  return {
    queryKey: ["agreements", ctx.rpcUrl, adapterId],
    queryFn: () => readAgreements(ctx, { adapterId }),
    refetchInterval: 4 * pollingInterval(ctx.chainId),
  };
}

function Service({ service, chosen }: { service: ServiceClient; chosen: ChosenBundle }) {
  const adapters = useServiceAdapters(service);
  const sessions = useServiceSessions(service);
  const said = adapters.data;
  const error = adapters.error ?? sessions.error;
  return (
    <Panel title="Your service" end={<code className="fine">{service.adminUrl}</code>}>
      {error !== null && (
        <Failure
          title="Your service did not answer as expected"
          error={error}
          onRetry={() => void adapters.refetch()}
        />
      )}
      {adapters.isPending && <p role="status">Asking your service…</p>}
      {said !== undefined && <ServiceFacts said={said} />}
      {said?.adapters.length === 0 && (
        <p>
          No adapters yet. Register one: <code>deltapay adapter register DIR --model MODEL.onnx</code>
        </p>
      )}
      {said?.adapters.map((adapter) => (
        <AdapterPanel key={adapter.adapterId} adapter={adapter} service={service} />
      ))}
      {said !== undefined && sessions.data !== undefined && (
        <Sessions said={said} sessions={sessions.data.sessions} service={service} chosen={chosen} />
      )}
    </Panel>
  );
}

function ServiceFacts({ said }: { said: AdminAdapters }) {
  const { deployment } = useChain();
  const account = useAccount();
  const other = said.escrow.toLowerCase() !== deployment.escrow.toLowerCase();
  const stranger = account !== undefined && account.toLowerCase() !== said.contributor.toLowerCase();
  return (
    <>
      <Facts
        facts={[
          ["Contributor", <AddressText key="c" address={said.contributor} />],
          ["For buyers at", <code key="s">{said.serviceUrl}</code>],
          ["Settles by itself", said.settles ? "yes" : "no: submit proofs here"],
        ]}
      />
      {other && (
        <Notice kind="bad" title="Your service uses another deployment than this page. Do not sign here." />
      )}
      {stranger && (
        <Notice kind="warn" title="The wallet holds another account than your service">
          <p>
            Offers must be signed by <AddressText address={said.contributor} />; settling takes it or an
            operator it set.
          </p>
        </Notice>
      )}
    </>
  );
}

/** The token a session is paid in, from its offer. */
function tokenOf(said: AdminAdapters, session: AdminSession): Address {
  const offers = said.adapters.flatMap((adapter) => adapter.offers);
  return offers.find(({ offerHash }) => offerHash === session.offerHash)?.offer.token ?? zeroAddress;
}

function Sessions({
  said,
  sessions,
  service,
  chosen,
}: {
  said: AdminAdapters;
  sessions: readonly AdminSession[];
  service: ServiceClient;
  chosen: ChosenBundle;
}) {
  const choose = (bundle: ProofBundle): void => {
    chosen.choose(bundle);
    document.getElementById("submit")?.scrollIntoView({ block: "start" });
  };
  return (
    <div className="stack">
      <h3>Sessions</h3>
      {sessions.length === 0 && <p className="fine">Nobody has opened an agreement yet.</p>}
      {sessions.toReversed().map((session) => (
        <SessionPanel
          key={session.agreementId}
          session={session}
          token={tokenOf(said, session)}
          service={service}
          onBundle={choose}
        />
      ))}
    </div>
  );
}

/** Without a service: what the chain knows of the connected account's adapters. */
function RegisteredByMe() {
  const account = useAccount();
  const mine = useMyAdapters();
  if (account === undefined) return null;
  return (
    <Panel title="Adapters of this account, from the chain">
      {mine?.length === 0 && <p className="fine">This account has registered none.</p>}
      {mine?.map((adapter) => (
        <Registered key={adapter.adapterId} adapter={adapter} />
      ))}
    </Panel>
  );
}

function Registered({ adapter }: { adapter: ListedAdapter }) {
  const ctx = useChain();
  const { adapterId, verifier, verifierCodeHash, groups } = adapter;
  const agreements = useQuery(agreementsOf(ctx, adapterId));
  return (
    <Panel
      level={3}
      title={<HashText value={adapterId} />}
      end={<KeyBadge releaseKey={releaseKeyOf(verifier, verifierCodeHash)} />}
    >
      <p className="fine">
        Proofs in a settlement: {groups}. Agreements opened: {adapter.opened}.
      </p>
      {agreements.data?.map(({ agreementId, status, amount, paid, token, deadline }) => (
        <Facts
          key={agreementId}
          facts={[
            [
              "Agreement",
              <a key="a" href={routeHash({ page: "agreement", agreementId })}>
                {agreementId.slice(0, 10)}…
              </a>,
            ],
            ["Status", <Badge key="s">{status}</Badge>],
            ["Paid in", <Amount key="i" value={amount} token={token} />],
            ["Paid to you", <Amount key="p" value={paid} token={token} whole={amount} />],
            ["Deadline", <Deadline key="d" at={deadline} />],
          ]}
        />
      ))}
    </Panel>
  );
}
