/** What the escrow holds for an account, and the way out. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { zeroAddress } from "viem";
import { credits } from "../../../runner/chain/agreements.ts";
import { ensure } from "../../../runner/protocol/errors.ts";
import type { Address } from "../../../runner/protocol/typedData.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { pollingInterval } from "../chain/chain.ts";
import { AddressText, shortened } from "../layout/AddressText.tsx";
import { Amount } from "../layout/Amount.tsx";
import { Failure } from "../layout/Failure.tsx";
import { TextField } from "../layout/Field.tsx";
import { Panel } from "../layout/Panel.tsx";
import { typedAddress } from "../layout/typedAddress.ts";
import { ActionView } from "../transactions/ActionView.tsx";
import { escrowCall } from "../transactions/escrowCall.ts";
import { sendOnce } from "../transactions/send.ts";
import { useAction } from "../transactions/useAction.ts";
import { useAccount } from "../wallet/useWallet.ts";

/** @param tokens besides ETH, those the account may have been credited in */
export function WithdrawPanel({ tokens }: { tokens: readonly Address[] }) {
  const account = useAccount();
  const all = [...new Set([zeroAddress, ...tokens.map((token) => token.toLowerCase() as Address)])];
  return (
    <Panel title="Withdraw">
      {account === undefined ? (
        <p className="fine">Connect a wallet to see what is credited to it.</p>
      ) : (
        all.map((token) => <Credit key={`${account}-${token}`} token={token} account={account} />)
      )}
    </Panel>
  );
}

function Credit({ token, account }: { token: Address; account: Address }) {
  const ctx = useChain();
  const [recipient, setRecipient] = useState("");
  const credit = useQuery({
    queryKey: ["credit", ctx.rpcUrl, ctx.deployment.escrow, token, account],
    queryFn: () => credits(ctx, token, account),
    refetchInterval: 2 * pollingInterval(ctx.chainId),
  });
  const elsewhere = recipient.trim() !== "";
  const to = elsewhere ? typedAddress(recipient) : account;
  const purpose = `withdraw-${token}`;
  const action = useAction(purpose, async (sending) => {
    ensure(to !== undefined, "withdraw/bad-recipient", "the recipient is not an address");
    return sendOnce(sending, { purpose, label: "Withdraw", call: escrowCall(ctx, "withdraw", [token, to]) });
  });
  if (credit.error !== null) return <Failure title="The credit could not be read" error={credit.error} />;
  const nothing = credit.data === undefined || credit.data === 0n;
  return (
    <div className="stack">
      <p>
        Credited to <AddressText address={account} />:{" "}
        <span className="figure">
          {credit.data === undefined ? "…" : <Amount value={credit.data} token={token} />}
        </span>
      </p>
      {nothing && credit.data !== undefined && (
        <p className="fine">Nothing to withdraw. Settling, releasing and refunding credit money here.</p>
      )}
      {!nothing && (
        <details>
          <summary>Send it to another address</summary>
          <TextField
            label="Recipient"
            hint="empty: your own account"
            value={recipient}
            error={to === undefined ? "not an address, or its checksum is wrong" : undefined}
            onChange={setRecipient}
          />
        </details>
      )}
      {(!nothing || action.records.length > 0 || action.busy) && (
        <ActionView
          action={action}
          failed="Nothing was withdrawn"
          disabled={nothing || to === undefined}
          primary
        >
          {elsewhere && to !== undefined ? `Withdraw to ${shortened(to)}` : "Withdraw"}
        </ActionView>
      )}
    </div>
  );
}
