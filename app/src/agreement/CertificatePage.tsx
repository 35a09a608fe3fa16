/** The certificate while it is being read, and when it cannot be. */
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import { HashText } from "../layout/AddressText.tsx";
import { Progress } from "../layout/Bar.tsx";
import { Failure } from "../layout/Failure.tsx";
import { Notice, Panel } from "../layout/Panel.tsx";
import { routeHash } from "../routes.ts";
import { CertificateView } from "./CertificateView.tsx";
import { type CertificateState, useCertificate } from "./useCertificate.ts";
import "./agreement.css";

export function CertificatePage({ agreementId }: { agreementId: Hex }) {
  const state = useCertificate(agreementId);
  const { error, replay, again } = state;
  return (
    <>
      {error !== null && error !== undefined && (
        <Unread agreementId={agreementId} error={error} onRetry={again} />
      )}
      {replay.error !== undefined && (
        <Failure title="The proofs could not be replayed" error={replay.error} onRetry={again} />
      )}
      <Reading state={state} />
      {replay.certificate !== undefined && <CertificateView certificate={replay.certificate} state={state} />}
    </>
  );
}

/** What is under way; read aloud when it changes. */
function Reading({ state }: { state: CertificateState }) {
  const { step, facts, modules, replay, error } = state;
  const replaying = facts !== undefined && replay.certificate === undefined && replay.error === undefined;
  const says =
    step ??
    (modules.busy ? "asking your service for the manifest" : undefined) ??
    (replaying && !error ? `replaying proofs, ${replay.done} of ${replay.total}` : undefined);
  return (
    <div role="status">
      {says !== undefined && (
        <Panel title={says.charAt(0).toUpperCase() + says.slice(1)}>
          <Progress done={replay.done} total={Math.max(1, replay.total)} label={says} />
        </Panel>
      )}
    </div>
  );
}

function Unread({ agreementId, error, onRetry }: { agreementId: Hex; error: unknown; onRetry: () => void }) {
  if (error instanceof DeltapayError && error.code === "agreement/unknown")
    return (
      <Notice kind="warn" title="There is no such agreement on this chain">
        <p>
          <HashText value={agreementId} /> was never opened in this deployment's escrow. See that the id is
          whole and that this page is on the right chain.
        </p>
        <p className="row">
          <button type="button" onClick={onRetry}>
            Look again
          </button>
          <a href={routeHash({ page: "agreement" })}>Enter another id</a>
        </p>
      </Notice>
    );
  return <Failure title="The agreement could not be read" error={error} onRetry={onRetry} />;
}
