/** A buyer's page: take an offer, follow what was opened, get money back. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Address } from "../../../runner/protocol/typedData.ts";
import type { SignedOffer } from "../../../runner/wire/messages.ts";
import type { PreparedOpening } from "../../../runner/wire/opening.ts";
import { readAgreements } from "../adapters/readRegistry.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { pollingInterval } from "../chain/chain.ts";
import { Failure } from "../layout/Failure.tsx";
import { Notice, Panel } from "../layout/Panel.tsx";
import { WithdrawPanel } from "../money/WithdrawPanel.tsx";
import { routeHash } from "../routes.ts";
import { useAccount } from "../wallet/useWallet.ts";
import { AgreementPanel } from "./AgreementPanel.tsx";
import { forgetOpening, keepOpening, keptOpening, openingText } from "./keptOpening.ts";
import { OfferChoice } from "./OfferChoice.tsx";
import { OpeningPanel } from "./OpeningPanel.tsx";
import { readOfferOrOpening } from "./opening.ts";
import { TermsForm } from "./TermsForm.tsx";

export function BuyerPage() {
  const account = useAccount();
  const agreements = useMyAgreements(account);
  const tokens = agreements.data?.map(({ token }) => token) ?? [];
  return (
    <>
      <p className="lead">
        Pay for an adapter's answers only when they are proven.{" "}
        <a href={routeHash({ page: "adapters" })}>Adapters</a> lists what there is.
      </p>
      <OpenPanel />
      <Panel title="Your agreements">
        {account === undefined && <p className="fine">Connect a wallet to see what its account opened.</p>}
        {agreements.error !== null && (
          <Failure title="Your agreements could not be read" error={agreements.error} />
        )}
        {agreements.isLoading && <p role="status">Reading the chain…</p>}
        {agreements.data?.length === 0 && <p className="fine">This account has opened none yet.</p>}
        {agreements.data?.map((agreement) => (
          <AgreementPanel key={agreement.agreementId} agreement={agreement} />
        ))}
      </Panel>
      <WithdrawPanel tokens={tokens} />
    </>
  );
}

function useMyAgreements(account: Address | undefined) {
  const ctx = useChain();
  return useQuery({
    queryKey: ["agreements", ctx.rpcUrl, ctx.deployment.escrow, account],
    queryFn: () => readAgreements(ctx, { buyer: account! }),
    enabled: account !== undefined,
    refetchInterval: 4 * pollingInterval(ctx.chainId),
  });
}

/** The opening in the address, once: it is kept in the browser from then on. */
function fromAddress(): { opening?: PreparedOpening; signed?: SignedOffer; error?: unknown } {
  const text = openingText(window.location.hash);
  if (text === undefined) return {};
  window.history.replaceState(null, "", routeHash({ page: "buyer" }));
  try {
    const read = readOfferOrOpening(text);
    return read.kind === "opening" ? { opening: read.opening } : { signed: read.signed };
  } catch (error) {
    return { error };
  }
}

function OpenPanel() {
  const { chainId, deployment } = useChain();
  const scope = `${chainId}:${deployment.escrow.toLowerCase()}`;
  const [first, setFirst] = useState(fromAddress);
  const [signed, setSigned] = useState(first.signed);
  const [opening, setOpening] = useState(() => {
    if (first.opening !== undefined) keepOpening(window.localStorage, scope, first.opening);
    return first.opening ?? keptOpening(window.localStorage, scope);
  });
  const choose = (chosen: PreparedOpening): void => {
    // Durable before the wallet is asked: a reload must come back to the same nonce.
    keepOpening(window.localStorage, scope, chosen);
    setOpening(chosen);
  };
  // A link opened while the page is shown already changes the address, and loads nothing.
  useEffect(() => {
    const look = (): void => {
      const read = fromAddress();
      if (read.opening === undefined && read.signed === undefined && read.error === undefined) return;
      if (read.opening !== undefined) keepOpening(window.localStorage, scope, read.opening);
      setFirst(read);
      if (read.error !== undefined) return;
      setSigned(read.signed);
      setOpening(read.opening);
    };
    window.addEventListener("hashchange", look);
    return () => window.removeEventListener("hashchange", look);
  }, [scope]);
  const forget = (): void => {
    forgetOpening(window.localStorage, scope);
    setOpening(undefined);
    setSigned(undefined);
  };
  return (
    <Panel
      title="Open an agreement"
      end={
        signed !== undefined &&
        opening === undefined && (
          <button type="button" className="quiet" onClick={forget}>
            Another offer
          </button>
        )
      }
    >
      {first.error !== undefined && <Failure title="The link holds no opening" error={first.error} />}
      {opening !== undefined ? (
        <OpeningPanel key={opening.agreementId} opening={opening} onDone={forget} />
      ) : signed !== undefined ? (
        <TermsForm key={signed.signature} signed={signed} onOpening={choose} />
      ) : (
        <OfferChoice onOffer={setSigned} onOpening={choose} />
      )}
      {opening === undefined && signed === undefined && (
        <Notice>
          <p>Nothing is paid before you confirm in your wallet what this page shows.</p>
        </Notice>
      )}
    </Panel>
  );
}
