/** One bundle: verified here, then submitted, then paid. */
import type { Agreement } from "../../../runner/chain/agreements.ts";
import { receiptHash } from "../../../runner/chain/claims.ts";
import { ensure } from "../../../runner/protocol/errors.ts";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { HashText } from "../layout/AddressText.tsx";
import { Amount } from "../layout/Amount.tsx";
import { Progress } from "../layout/Bar.tsx";
import { Failure } from "../layout/Failure.tsx";
import { Badge, Facts, Notice } from "../layout/Panel.tsx";
import { Deadline } from "../layout/Time.tsx";
import { TransactionList } from "../transactions/ActionView.tsx";
import { isUnderWay } from "../transactions/record.ts";
import { useAction } from "../transactions/useAction.ts";
import { modulesOf } from "../verification/bundleFile.ts";
import type { GroupVerdict, VerificationContext } from "../verification/checkBundle.ts";
import { ProofTable } from "./ProofTable.tsx";
import { provenWhole } from "./proven.ts";
import { SubmitStep } from "./SubmitStep.tsx";
import { settlePurpose, submitProofs } from "./submit.ts";
import { settlementOf, useProven } from "./useSettlement.ts";
import { useVerifiedBundle, type Verification } from "./useVerifiedBundle.ts";
import { worthOf } from "./worth.ts";

export function BundleSubmission({
  bundle,
  modules,
}: {
  bundle: ProofBundle;
  modules: VerificationContext["modules"];
}) {
  const ctx = useChain();
  const verification = useVerifiedBundle(bundle);
  const proven = useProven(bundle);
  const settlement = settlementOf(bundle);
  const purpose = settlePurpose(receiptHash(ctx, bundle.receipt));
  const action = useAction(purpose, (sending) => {
    ensure(verification.complete, "bundle/not-verified", "not every proof was seen to hold", {
      hint: "wait until all proofs are checked",
    });
    return submitProofs(sending, settlement);
  });
  const { agreement, context } = verification;
  const verdicts = withNames(verification.verdicts, modules);
  const done = proven.data?.size ?? 0;
  const groups = context?.groups ?? bundle.V.length;
  const settled = provenWhole(proven.data, context?.groups);
  const underWay = new Set(action.records.filter(isUnderWay).flatMap((record) => record.groups ?? []));
  return (
    <div className="stack">
      <Facts
        facts={[
          ["Agreement", <HashText key="a" value={bundle.agreementId} />],
          ["Receipt covers", `${bundle.receipt.tokens} tokens in ${bundle.receipt.passes} passes`],
          ["Worth", agreement && <WorthText key="w" bundle={bundle} agreement={agreement} />],
          ["Settle until", agreement && <Deadline at={agreement.deadline} />],
        ]}
      />
      <Checking verification={{ ...verification, verdicts }} groups={groups} />
      {context !== undefined && (
        <ProofTable
          groups={groups}
          verdicts={verdicts}
          proven={proven.data ?? new Map()}
          sending={underWay}
        />
      )}
      {done > 0 && done < groups && (
        <p role="status">
          {done} of {groups} groups are proven on chain. Nothing is paid until all are.
        </p>
      )}
      {settled ? (
        <Notice kind="good" title="Settled">
          <p>
            All {groups} groups are proven on chain; what the receipt is worth is credited to the payout
            account.
          </p>
        </Notice>
      ) : (
        verification.complete &&
        agreement !== undefined && (
          <SubmitStep
            bundle={bundle}
            agreement={agreement}
            action={action}
            plans={underWay.size === 0 && !action.busy}
          />
        )
      )}
      {action.records.length > 0 && <TransactionList records={action.records} />}
      {action.error !== undefined && !settled && (
        <Failure title="The submission stopped" error={action.error} onRetry={action.run} />
      )}
    </div>
  );
}

/** Names may be known only after the proofs were checked. */
function withNames(
  verdicts: readonly GroupVerdict[],
  modules: VerificationContext["modules"],
): GroupVerdict[] {
  return verdicts.map((verdict) =>
    verdict.modules.length > 0 ? verdict : { ...verdict, modules: modulesOf(modules, verdict.group) },
  );
}

function WorthText({ bundle, agreement }: { bundle: ProofBundle; agreement: Agreement }) {
  const { paid, token, amount } = agreement;
  const { whole, more } = worthOf(bundle.receipt, agreement);
  return (
    <>
      <Amount value={whole} token={token} whole={amount} />
      {paid > 0n && (
        <span className="fine">
          , <Amount value={more} token={token} whole={amount} /> more than is paid
        </span>
      )}
    </>
  );
}

/** What checking found so far. */
function Checking({ verification, groups }: { verification: Verification; groups: number }) {
  const { verdicts, busy, complete, error } = verification;
  if (error !== undefined) return <Failure title="This bundle is not sent" error={error} />;
  const bad = verdicts.filter(({ status }) => status !== "proven");
  if (busy)
    return (
      <div className="measure">
        <p className="fine" role="status">
          Checking proof {Math.min(groups, verdicts.length + 1)} of {groups} in this browser…
        </p>
        <Progress done={verdicts.length} total={groups} label="Proofs checked" />
      </div>
    );
  if (complete)
    return (
      <p role="status">
        <Badge kind="good">verified here</Badge> Signature, statements and all {groups} proofs hold.
      </p>
    );
  if (bad.length === 0) return null;
  return (
    <Notice kind="bad" title="This bundle is not sent: the escrow would refuse it">
      <ul>
        {bad.slice(0, 8).map(({ group, modules, failure, status }) => (
          <li key={group}>
            Group {group}
            {modules.length > 0 && ` (${modules.join(", ")})`}:{" "}
            {status === "missing" ? "the bundle has no proof of it" : failure?.message}.
          </li>
        ))}
      </ul>
      <p>What to do: prove again, or load the bundle again from where it was made.</p>
    </Notice>
  );
}
