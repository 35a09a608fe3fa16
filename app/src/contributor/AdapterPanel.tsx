/** One of the contributor's own adapters: what it is made of, how its key came about, what it gave away, its offers. */
import { readOfferState } from "../../../runner/chain/agreements.ts";
import { offerHash } from "../../../runner/protocol/typedData.ts";
import type { AdminAdapter, AdminOffer } from "../../../runner/wire/admin.ts";
import { stringifyMessage } from "../../../runner/wire/messages.ts";
import { OfferWords } from "../buyer/OfferWords.tsx";
import { useChain } from "../chain/ChainProvider.tsx";
import { useNow } from "../chain/useNow.ts";
import { KeyBadge, KeyWords, releaseKeyOf } from "../key/KeyState.tsx";
import { AddressText, HashText } from "../layout/AddressText.tsx";
import { Amount } from "../layout/Amount.tsx";
import { Gauge } from "../layout/Bar.tsx";
import { downloadText } from "../layout/download.ts";
import { Badge, Facts, Notice, Panel, TableFrame } from "../layout/Panel.tsx";
import { localTime } from "../layout/time.ts";
import type { ServiceClient } from "../service/client.ts";
import { ActionView } from "../transactions/ActionView.tsx";
import { escrowCall } from "../transactions/escrowCall.ts";
import { sendOnce } from "../transactions/send.ts";
import { useAction } from "../transactions/useAction.ts";
import { OfferForm } from "./OfferForm.tsx";

export function AdapterPanel({ adapter, service }: { adapter: AdminAdapter; service: ServiceClient }) {
  const key = releaseKeyOf(adapter.verifier, adapter.verifierCodeHash);
  return (
    <Panel
      level={3}
      title={
        <>
          {adapter.name} <HashText value={adapter.adapterId} label="Adapter" />
        </>
      }
      end={
        <>
          <KeyBadge releaseKey={key} />
          <Badge kind={adapter.served ? "good" : "plain"}>{adapter.served ? "served" : "not served"}</Badge>
          {!adapter.registered && <Badge kind="bad">not registered</Badge>}
        </>
      }
    >
      <Facts
        facts={[
          ["Modules", adapter.modules.length],
          ["Proofs in a settlement", adapter.groups],
          ["Base model", adapter.baseModel?.name ?? "not named"],
          ["Verifier", <AddressText key="v" address={adapter.verifier} />],
          ["Registered as served at", adapter.uri === "" ? undefined : <code key="u">{adapter.uri}</code>],
        ]}
      />
      <KeyWords releaseKey={key} />
      <Leakage leakage={adapter.leakage} />
      <details>
        <summary>{adapter.modules.length} modules and their shapes</summary>
        <Modules adapter={adapter} />
      </details>
      <Offers adapter={adapter} service={service} />
      <details>
        <summary>Make an offer</summary>
        <OfferForm adapter={adapter} service={service} />
      </details>
    </Panel>
  );
}

function Leakage({ leakage: { tokensSold, dInHalf, ratio } }: Pick<AdminAdapter, "leakage">) {
  const percent = `${(100 * ratio).toFixed(ratio < 0.1 ? 1 : 0)} %`;
  return (
    <div className="measure">
      <p className="fine">
        Leakage: {tokensSold.toLocaleString()} of about {Math.ceil(dInHalf).toLocaleString()} tokens sold
        after which a buyer who chooses its inputs has the weakest module, {percent}.
      </p>
      <Gauge value={ratio} label={`Leakage ${percent}`} />
      {ratio >= 1 && (
        <Notice kind="warn" title="More tokens are sold than give a module away">
          <p>Whoever bought them could rebuild it. Further offers sell what may already be known.</p>
        </Notice>
      )}
    </div>
  );
}

function Modules({ adapter }: { adapter: AdminAdapter }) {
  return (
    <TableFrame label="Modules">
      <table>
        <thead>
          <tr>
            <th scope="col">Module</th>
            <th scope="col" className="number">
              In
            </th>
            <th scope="col" className="number">
              Out
            </th>
            <th scope="col" className="number">
              Rank
            </th>
            <th scope="col" className="number">
              Group
            </th>
          </tr>
        </thead>
        <tbody>
          {adapter.modules.map(({ name, shape: [dIn, dOut, r], group }) => (
            <tr key={name}>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td className="number">{dIn.toLocaleString()}</td>
              <td className="number">{dOut.toLocaleString()}</td>
              <td className="number">{r}</td>
              <td className="number">{group}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

function Offers({ adapter, service }: { adapter: AdminAdapter; service: ServiceClient }) {
  if (adapter.offers.length === 0)
    return <p className="fine">No offers yet: without one no buyer can open an agreement.</p>;
  return (
    <div className="stack">
      <h4>Offers</h4>
      {adapter.offers.toReversed().map((made) => (
        <OfferLine key={made.offerHash} made={made} service={service} />
      ))}
    </div>
  );
}

function OfferLine({ made, service }: { made: AdminOffer; service: ServiceClient }) {
  const { offer, signature, cancelled } = made;
  const ctx = useChain();
  const now = useNow();
  const hash = offerHash(offer);
  const expired = now !== undefined && Number(offer.expiry) < now;
  const purpose = `cancel-offer-${hash}`;
  const isCancelled = async (): Promise<boolean> => (await readOfferState(ctx, offer)).cancelled;
  const action = useAction(
    purpose,
    async (sending) => {
      if (await isCancelled()) return;
      await sendOnce(sending, {
        purpose,
        label: "Cancel the offer",
        call: escrowCall(ctx, "cancelOffer", [offer]),
      });
    },
    async () => {
      if (await isCancelled()) await service.hideOffer(hash);
    },
  );
  return (
    <details>
      <summary>
        <Amount value={offer.pricePerToken} token={offer.token} /> a token, up to{" "}
        {offer.tokenCap.toLocaleString()} tokens, until {localTime(offer.expiry)}{" "}
        {cancelled ? (
          <Badge>cancelled</Badge>
        ) : expired ? (
          <Badge>expired</Badge>
        ) : (
          <Badge kind="good">open</Badge>
        )}
      </summary>
      <div className="stack">
        <OfferWords offer={offer} forContributor />
        <div className="row">
          <button
            type="button"
            onClick={() =>
              downloadText(`offer-${hash.slice(2, 10)}.json`, stringifyMessage({ offer, signature }, 2))
            }
          >
            Download the signed offer
          </button>
        </div>
        {!cancelled && (
          <ActionView action={action} failed="The offer is not cancelled">
            Cancel this offer for good
          </ActionView>
        )}
      </div>
    </details>
  );
}
