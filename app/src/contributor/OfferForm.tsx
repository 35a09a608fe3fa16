/** Making an offer: terms typed, shown in words, signed by the contributor's wallet. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { contributorWarnings } from "../../../runner/buyer/opening/offer.ts";
import { deploymentDomain } from "../../../runner/chain/deploymentFile.ts";
import { ETH, type Token } from "../../../runner/chain/erc20.ts";
import { layoutModules } from "../../../runner/protocol/layout.ts";
import { checkSignature, type Offer, offerHash, typedData } from "../../../runner/protocol/typedData.ts";
import type { AdminAdapter } from "../../../runner/wire/admin.ts";
import { type SignedOffer, stringifyMessage } from "../../../runner/wire/messages.ts";
import { OfferWords } from "../buyer/OfferWords.tsx";
import { useChain } from "../chain/ChainProvider.tsx";
import { useNow } from "../chain/useNow.ts";
import { failureOf, type StoredFailure, withHint } from "../failure.ts";
import { downloadText } from "../layout/download.ts";
import { Failure } from "../layout/Failure.tsx";
import { TextField } from "../layout/Field.tsx";
import { Notice } from "../layout/Panel.tsx";
import { typedAddress } from "../layout/typedAddress.ts";
import { unitsOf } from "../layout/typedAmount.ts";
import type { ServiceClient } from "../service/client.ts";
import { useAccount, useSignTypedData, useWalletProblem } from "../wallet/useWallet.ts";
import { DEFAULT_FIELDS, type OfferFields, readOffer } from "./offerForm.ts";
import { readOfferToken } from "./offerToken.ts";

const LABELS: Record<keyof OfferFields, readonly [label: string, hint: string]> = {
  pricePerToken: ["Price of a token", ""],
  openingFee: ["Opening fee", "yours at once, whatever follows; covers tokens never paid for"],
  maxUnpaidTokens: ["Tokens ahead of a receipt", "what a buyer can take without paying"],
  tokenCap: ["Tokens in one agreement", "more tokens give more of the adapter away"],
  maxOpens: ["Times it can be taken", ""],
  minDurationHours: ["Runs at least, hours", "time to serve, prove and settle"],
  closeWindowHours: ["Left to settle after a close, hours", ""],
  expiryDays: ["Can be taken for, days", ""],
  payout: ["Paid to", "the account that is credited"],
};

const ORDER = Object.keys(LABELS) as (keyof OfferFields)[];

/** The token typed; none as long as it is not known, for ETH or other decimals would be other terms. */
function useTypedToken(text: string): { token?: Token; problem?: string } {
  const ctx = useChain();
  const address = typedAddress(text);
  const typed = text.trim() !== "";
  const read = useQuery({
    queryKey: ["offer-token", ctx.rpcUrl, address],
    queryFn: () => readOfferToken(ctx, address!),
    enabled: typed && address !== undefined,
    retry: false,
  });
  if (!typed) return { token: ETH };
  if (address === undefined) return { problem: "not an address" };
  if (read.error !== null) return { problem: failureOf(read.error).message };
  return read.data === undefined ? {} : { token: read.data };
}

export function OfferForm({
  adapter,
  service,
}: {
  adapter: AdminAdapter;
  service: ServiceClient | undefined;
}) {
  const account = useAccount();
  const now = useNow();
  const [fields, setFields] = useState<Omit<OfferFields, "payout"> & { payout?: string }>(DEFAULT_FIELDS);
  const [tokenText, setTokenText] = useState("");
  const { token, problem: badToken } = useTypedToken(tokenText);
  const typed: OfferFields = { ...fields, payout: fields.payout ?? account ?? "" };
  const { offer, problem } =
    token === undefined || now === undefined
      ? {}
      : attempt(() => readOffer(typed, adapter.adapterId, token, now));
  return (
    <div className="stack">
      <div className="fields">
        {ORDER.map((field) => (
          <TextField
            key={field}
            label={LABELS[field][0]}
            wide={field === "payout"}
            hint={
              field === "pricePerToken" && token !== undefined
                ? `in ${unitsOf(token)}, as 1 ${token === ETH ? "gwei" : token.symbol}`
                : LABELS[field][1]
            }
            value={typed[field]}
            error={problem?.field === field ? withHint(problem) : undefined}
            onChange={(value) => setFields((before) => ({ ...before, [field]: value }))}
          />
        ))}
        <TextField
          label="Paid in"
          wide
          hint="an ERC-20's address; empty for ETH"
          value={tokenText}
          error={badToken}
          onChange={setTokenText}
        />
      </div>
      {problem !== undefined && ORDER.every((field) => field !== problem.field) && (
        <p className="bad-text">{withHint(problem)}</p>
      )}
      {token === undefined && badToken === undefined && <p role="status">Reading the token…</p>}
      {offer !== undefined && <SignOffer adapter={adapter} offer={offer} service={service} />}
    </div>
  );
}

function attempt(read: () => Offer): { offer?: Offer; problem?: StoredFailure } {
  try {
    return { offer: read() };
  } catch (error) {
    return { problem: failureOf(error) };
  }
}

/** What the contributor risks with these terms. */
function warningsOf(adapter: AdminAdapter, offer: Offer): string[] {
  const shapes = adapter.modules.map(({ name, shape: [dIn, dOut, r], group }) => ({
    name,
    dIn,
    dOut,
    r,
    group,
  }));
  return contributorWarnings({ offer }, layoutModules(shapes, adapter.key.size));
}

function SignOffer({
  adapter,
  offer,
  service,
}: {
  adapter: AdminAdapter;
  offer: Offer;
  service: ServiceClient | undefined;
}) {
  const { deployment } = useChain();
  const account = useAccount();
  const problem = useWalletProblem();
  const sign = useSignTypedData();
  const queries = useQueryClient();
  const signing = useMutation({
    mutationFn: async (terms: Offer): Promise<SignedOffer> => {
      const domain = deploymentDomain(deployment);
      const signature = await sign(typedData(domain, "Offer", terms) as Parameters<typeof sign>[0]);
      // A wallet that signed something else is found out before the offer is shown to anybody.
      await checkSignature(domain, "Offer", terms, signature, account!);
      const signed = { offer: terms, signature };
      await service?.addOffer(signed);
      return signed;
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["service"] }),
  });
  const warnings = warningsOf(adapter, offer);
  return (
    <div className="stack">
      <OfferWords offer={offer} forContributor />
      {warnings.length > 0 && (
        <Notice kind="warn" title="Before you sign">
          <ul>
            {warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Notice>
      )}
      <div className="row">
        <button
          type="button"
          className="primary"
          disabled={signing.isPending || problem !== undefined}
          onClick={() => signing.mutate(offer)}
        >
          {signing.isPending ? "Waiting for the wallet…" : "Sign this offer"}
        </button>
        {problem !== undefined && <span className="fine">First: {problem.hint}.</span>}
      </div>
      {signing.error !== null && <Failure title="The offer was not made" error={signing.error} />}
      {signing.data !== undefined && <SignedNotice signed={signing.data} shown={service !== undefined} />}
    </div>
  );
}

function SignedNotice({ signed, shown }: { signed: SignedOffer; shown: boolean }) {
  const hash = offerHash(signed.offer);
  return (
    <Notice kind="good" title="Signed">
      <p role="status">
        {shown ? "Your service shows it to buyers now." : "Give the file to buyers: no service shows it."}
      </p>
      <button
        type="button"
        onClick={() => downloadText(`offer-${hash.slice(2, 10)}.json`, stringifyMessage(signed, 2))}
      >
        Download the signed offer
      </button>
    </Notice>
  );
}
