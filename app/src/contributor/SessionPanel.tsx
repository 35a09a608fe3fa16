/** One session as its contributor follows it. */
import { useMutation } from "@tanstack/react-query";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import type { Address } from "../../../runner/protocol/typedData.ts";
import type { AdminSession } from "../../../runner/wire/admin.ts";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { AddressText, HashText } from "../layout/AddressText.tsx";
import { Amount } from "../layout/Amount.tsx";
import { Progress } from "../layout/Bar.tsx";
import { Failure } from "../layout/Failure.tsx";
import { Badge, Facts, type Kind, Panel } from "../layout/Panel.tsx";
import { Deadline } from "../layout/Time.tsx";
import { routeHash } from "../routes.ts";
import type { ServiceClient } from "../service/client.ts";
import { ActionView } from "../transactions/ActionView.tsx";
import { escrowCall } from "../transactions/escrowCall.ts";
import { sendOnce } from "../transactions/send.ts";
import { useAction } from "../transactions/useAction.ts";

const PHASES: Record<AdminSession["phase"], readonly [text: string, kind: Kind]> = {
  serving: ["serving", "good"],
  ended: ["ended, not proven", "warn"],
  proving: ["proving", "warn"],
  settled: ["settled", "good"],
  closed: ["over", "plain"],
};

/** Where a session stands, also when its proofs were submitted from here and its service has not looked yet. */
function standing({ phase, chain, owed, proofs, groups }: AdminSession): readonly [text: string, kind: Kind] {
  if (chain !== null && owed > 0n && chain.paid >= owed && phase !== "serving") return PHASES.settled;
  if (phase === "proving" && proofs.length === groups) return ["proven, not settled", "warn"];
  return PHASES[phase];
}

/** @param token of the session's offer */
export function SessionPanel({
  session,
  token,
  service,
  onBundle,
}: {
  session: AdminSession;
  token: Address;
  service: ServiceClient;
  onBundle: (bundle: ProofBundle) => void;
}) {
  const { agreementId, phase, receipt, owed, chain, groups, proofs } = session;
  const [text, kind] = standing(session);
  const deadline = chain?.deadline ?? BigInt(session.deadline);
  const over = phase === "settled" || phase === "closed";
  return (
    <Panel
      level={3}
      title={
        <>
          Agreement <HashText value={agreementId} />
        </>
      }
      end={
        <>
          {chain?.status === "closing" && <Badge kind="warn">buyer is closing</Badge>}
          <Badge kind={kind}>{text}</Badge>
        </>
      }
    >
      <Facts
        facts={[
          ["Tokens served", session.tokens.toLocaleString()],
          ["Covered by a receipt", receipt === null ? "none yet" : receipt.tokens.toLocaleString()],
          ["Not covered yet", session.unpaidTokens.toLocaleString()],
          ["Owed", <Amount key="o" value={owed} token={token} whole={session.amount} />],
          ["Paid in", <Amount key="a" value={session.amount} token={token} />],
          [
            "Paid so far",
            chain === null ? undefined : (
              <Amount key="p" value={chain.paid} token={token} whole={session.amount} />
            ),
          ],
          ["Deadline", over ? undefined : <Deadline key="d" at={deadline} />],
          ["Buyer", <AddressText key="b" address={session.buyer} />],
        ]}
      />
      {session.reason !== null && <p className="fine">Not served any more: {session.reason}.</p>}
      {session.refusedReceipts.length > 0 && (
        <p className="fine bad-text">
          {session.refusedReceipts.length === 1
            ? "A wrong receipt was"
            : `${session.refusedReceipts.length} wrong receipts were`}{" "}
          refused ({session.refusedReceipts.at(-1)?.code}
          ).
        </p>
      )}
      {receipt !== null && !over && (
        <div className="measure">
          <p className="fine">
            {proofs.length} of {groups} proofs of the newest receipt are made.
          </p>
          <Progress done={proofs.length} total={groups} label="Proofs made" />
        </div>
      )}
      {receipt === null ? (
        <p>
          <CertificateLink agreementId={agreementId} />
        </p>
      ) : (
        <Bundle session={session} service={service} onBundle={onBundle} />
      )}
      {chain !== null && (chain.status === "open" || chain.status === "closing") && (
        <Release agreementId={agreementId} owed={owed} paid={chain.paid} />
      )}
    </Panel>
  );
}

function Bundle({
  session: { agreementId, proofs, groups, phase },
  service,
  onBundle,
}: {
  session: AdminSession;
  service: ServiceClient;
  onBundle: (bundle: ProofBundle) => void;
}) {
  const made = proofs.length === groups;
  const load = useMutation({
    mutationFn: () => (made ? service.bundle(agreementId) : service.prove(agreementId)),
    onSuccess: onBundle,
  });
  const serving = phase === "serving";
  return (
    <div className="stack">
      <div className="row">
        <button type="button" disabled={load.isPending || (serving && !made)} onClick={() => load.mutate()}>
          {made ? "Load its proofs" : load.isPending ? "Proving…" : "Prove now"}
        </button>
        {serving && !made && <span className="fine">The buyer is still being served.</span>}
        <CertificateLink agreementId={agreementId} />
      </div>
      {load.error !== null && <Failure title="There are no proofs to load" error={load.error} />}
    </div>
  );
}

function CertificateLink({ agreementId }: { agreementId: Hex }) {
  return <a href={routeHash({ page: "agreement", agreementId })}>Certificate</a>;
}

/** Giving the buyer back what is left, before the deadline. */
function Release({ agreementId, owed, paid }: { agreementId: Hex; owed: bigint; paid: bigint }) {
  const ctx = useChain();
  const purpose = `release-${agreementId}`;
  const action = useAction(purpose, (sending) =>
    sendOnce(sending, { purpose, label: "Release", call: escrowCall(ctx, "release", [agreementId]) }),
  );
  return (
    <details>
      <summary>Give the buyer back what is left</summary>
      <div className="stack">
        <p className="fine">
          {owed > paid
            ? "What is owed to you and not settled is given up. Settle first."
            : "Everything owed to you is settled: this frees the rest of the buyer's money before the deadline."}
        </p>
        <ActionView action={action} failed="Nothing was released">
          Release
        </ActionView>
      </div>
    </details>
  );
}
