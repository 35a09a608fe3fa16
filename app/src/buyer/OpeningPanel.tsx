/** An opening with all its terms fixed: read again, then paid. */

import { RELEASE_KEYS } from "virtual:deltapay-release";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { readAgreement } from "../../../runner/chain/agreements.ts";
import { isEth } from "../../../runner/chain/erc20.ts";
import type { PreparedOpening } from "../../../runner/wire/opening.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { pollingInterval } from "../chain/chain.ts";
import { useNow } from "../chain/useNow.ts";
import { AddressText, HashText } from "../layout/AddressText.tsx";
import { Amount } from "../layout/Amount.tsx";
import { Failure } from "../layout/Failure.tsx";
import { Facts, Notice } from "../layout/Panel.tsx";
import { Deadline } from "../layout/Time.tsx";
import { routeHash } from "../routes.ts";
import { TransactionList } from "../transactions/ActionView.tsx";
import { isUnderWay } from "../transactions/record.ts";
import { useAction } from "../transactions/useAction.ts";
import { useAccount, useSignTypedData } from "../wallet/useWallet.ts";
import { OfferWords } from "./OfferWords.tsx";
import { checkOpening, type MakePermit, openByWallet, openPurpose } from "./opening.ts";
import { permitCall, permitData, readPermit } from "./permit.ts";
import { Warnings } from "./Warnings.tsx";

/** Seconds a signed permit can be submitted in. */
const PERMIT_SECONDS = 1200n;

/** How an allowance by signature is made; undefined for ETH and for tokens that take none. */
function usePermit(opening: PreparedOpening): MakePermit | undefined {
  const ctx = useChain();
  const account = useAccount();
  const now = useNow();
  const sign = useSignTypedData();
  const { token } = opening.offer;
  const terms = useQuery({
    queryKey: ["permit", ctx.rpcUrl, token, account],
    queryFn: async () => (await readPermit(ctx, token, account!)) ?? null,
    enabled: account !== undefined && !isEth(token),
  });
  if (terms.data == null || account === undefined || now === undefined) return undefined;
  return async (value) => {
    // The nonce may have been used since.
    const fresh = (await readPermit(ctx, token, account)) ?? terms.data!;
    const permit = {
      owner: account,
      spender: ctx.deployment.escrow,
      value,
      deadline: BigInt(now) + PERMIT_SECONDS,
    };
    return permitCall(token, permit, await sign(permitData(fresh, permit)));
  };
}

export function OpeningPanel({ opening, onDone }: { opening: PreparedOpening; onDone: () => void }) {
  const ctx = useChain();
  const account = useAccount();
  const now = useNow();
  const permit = usePermit(opening);
  const [byPermit, setByPermit] = useState(false);
  const [ownSigner, setOwnSigner] = useState(false);
  const action = useAction(openPurpose(opening), (sending) =>
    openByWallet(sending, opening, byPermit ? permit : undefined),
  );
  const state = useQuery({
    queryKey: ["opening", ctx.rpcUrl, opening.agreementId],
    queryFn: () => readAgreement(ctx, opening.agreementId),
    refetchInterval: 2 * pollingInterval(ctx.chainId),
  });
  const status = state.data?.status ?? "none";
  const opened = status !== "none";
  const checked = useQuery({
    queryKey: ["opening-check", ctx.rpcUrl, opening.agreementId, account],
    queryFn: () => checkOpening(ctx, RELEASE_KEYS, opening, { account: account!, now: BigInt(now!) }),
    enabled: account !== undefined && now !== undefined && !opened && !action.busy,
    retry: false,
  });
  const { offer, amount, deadline, signer, agreementId } = opening;
  const underWay = action.records.some(isUnderWay);
  return (
    <div className="stack">
      <Facts
        facts={[
          ["Pay in", <Amount key="a" value={amount} token={offer.token} />],
          ["Opening fee", <Amount key="f" value={offer.openingFee} token={offer.token} />],
          ["In all", <Amount key="t" value={amount + offer.openingFee} token={offer.token} />],
          ["Deadline", <Deadline key="d" at={deadline} />],
          ["Receipts signed by", <AddressText key="s" address={signer} />],
          ["Agreement", <HashText key="i" value={agreementId} />],
        ]}
      />
      <details open={!opened}>
        <summary>What the offer says</summary>
        <OfferWords offer={offer} />
      </details>
      {opened ? (
        <Notice kind={status === "open" ? "good" : "plain"} title="Opened">
          <p role="status">
            The agreement is {status}
            {status === "open" ? ". Your client takes it from here; " : ": "}
            <a href={routeHash({ page: "agreement", agreementId })}>follow it</a>.
          </p>
          <button type="button" onClick={onDone}>
            Done
          </button>
        </Notice>
      ) : (
        <>
          {checked.data !== undefined && <Warnings checked={checked.data} offer={offer} amount={amount} />}
          {checked.error !== null && !action.busy && (
            <Failure
              title="This opening cannot be sent now"
              error={checked.error}
              onRetry={() => void checked.refetch()}
            />
          )}
          {permit !== undefined && (
            <label className="check">
              <input
                type="checkbox"
                checked={byPermit}
                onChange={(event) => setByPermit(event.target.checked)}
              />
              <span>
                Allow the sum by a signed permit (EIP-2612) that expires in {Number(PERMIT_SECONDS) / 60}{" "}
                minutes, not by approve
              </span>
            </label>
          )}
          <label className="check">
            <input
              type="checkbox"
              checked={ownSigner}
              onChange={(event) => setOwnSigner(event.target.checked)}
            />
            <span>
              The key <code>{signer}</code> is my own client's. Whoever holds it decides what I owe: a link
              that somebody else gave me would name theirs.
            </span>
          </label>
          <div className="row">
            <button
              type="button"
              className="primary"
              disabled={
                action.busy || action.problem !== undefined || checked.data === undefined || !ownSigner
              }
              onClick={action.run}
            >
              {action.busy ? "Opening…" : "Pay in and open"}
            </button>
            {!action.busy && !underWay && (
              <button type="button" className="quiet" onClick={onDone}>
                Put it away
              </button>
            )}
            {action.problem !== undefined && <span className="fine">First: {action.problem.hint}.</span>}
          </div>
        </>
      )}
      {action.records.length > 0 && <TransactionList records={action.records} />}
      {action.error !== undefined && <Failure title="The agreement is not open" error={action.error} />}
    </div>
  );
}
