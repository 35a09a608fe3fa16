/** What a buyer decides about an offer: how much to pay in, until when, and whose key signs receipts. */

import { RELEASE_KEYS } from "virtual:deltapay-release";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SignedOffer } from "../../../runner/wire/messages.ts";
import type { PreparedOpening } from "../../../runner/wire/opening.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { useNow } from "../chain/useNow.ts";
import { useToken } from "../layout/Amount.tsx";
import { Failure } from "../layout/Failure.tsx";
import { TextField } from "../layout/Field.tsx";
import { unitsOf } from "../layout/typedAmount.ts";
import { useAccount } from "../wallet/useWallet.ts";
import { OfferWords } from "./OfferWords.tsx";
import { tokensFor } from "./offerWords.ts";
import { checkSignedOffer, prepareOpening } from "./opening.ts";
import { readTerms, usualHours } from "./termsForm.ts";
import { Warnings } from "./Warnings.tsx";

export function TermsForm({
  signed,
  onOpening,
}: {
  signed: SignedOffer;
  onOpening: (opening: PreparedOpening) => void;
}) {
  const { offer } = signed;
  const ctx = useChain();
  const account = useAccount();
  const now = useNow();
  const token = useToken(offer.token);
  const [amountText, setAmount] = useState("");
  const [signerText, setSigner] = useState("");
  const [hours, setHours] = useState(() => usualHours(offer));
  const checked = useQuery({
    queryKey: ["offer", ctx.rpcUrl, signed.signature],
    queryFn: () => checkSignedOffer(ctx, RELEASE_KEYS, signed, { now: BigInt(now!) }),
    enabled: now !== undefined,
    retry: false,
  });
  if (checked.error !== null)
    return (
      <Failure
        title="This offer cannot be taken"
        error={checked.error}
        onRetry={() => void checked.refetch()}
      />
    );
  if (checked.data === undefined || token === undefined) return <p role="status">Checking the offer…</p>;

  const fields = { amount: amountText, hours, signer: signerText };
  const { amount, seconds, signer, problems } = readTerms(fields, offer, token);
  const ready = amount !== undefined && seconds !== undefined && signer !== undefined;
  const prepare = (): void => {
    if (!ready || account === undefined || now === undefined) return;
    const deadline = BigInt(now + seconds);
    onOpening(prepareOpening(ctx, { buyer: account, signed, signer, amount, deadline }));
  };
  return (
    <div className="stack">
      <OfferWords offer={offer} />
      <Warnings checked={checked.data} offer={offer} amount={amount} />
      {checked.data.opensLeft === 0n ? (
        <Failure
          error={new Error("This offer was taken as often as it allows; ask the contributor for another")}
        />
      ) : (
        <>
          <div className="fields">
            <TextField
              label="Pay in, besides the opening fee"
              value={amountText}
              onChange={setAmount}
              hint={
                amount === undefined
                  ? `in ${unitsOf(token)}`
                  : `pays for ${tokensFor(offer, amount).toLocaleString()} tokens; the rest comes back`
              }
              error={amountText === "" ? undefined : problems.amount}
            />
            <TextField
              label="Runs for, hours"
              value={hours}
              onChange={setHours}
              hint="until then receipts can be settled"
              error={problems.hours}
              inputMode="decimal"
            />
            <TextField
              label="Receipts are signed by"
              wide
              value={signerText}
              onChange={setSigner}
              hint="a plain key your client holds, never this wallet's"
              error={signerText === "" ? undefined : problems.signer}
            />
          </div>
          {signer !== undefined && signer.toLowerCase() === account?.toLowerCase() && (
            <p className="bad-text">
              Do not use the wallet's own account: whoever runs the client would hold its key.
            </p>
          )}
          <div className="row">
            <button
              type="button"
              disabled={!ready || account === undefined || now === undefined}
              onClick={prepare}
            >
              Go on
            </button>
            {account === undefined && (
              <span className="fine">First connect a wallet at the top of the page.</span>
            )}
          </div>
        </>
      )}
    </div>
  );
}
