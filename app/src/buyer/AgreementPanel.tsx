/** An agreement as its buyer follows it, and the ways out of it. */
import type { ListedAgreement } from "../adapters/readRegistry.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { useNow } from "../chain/useNow.ts";
import { AddressText, HashText } from "../layout/AddressText.tsx";
import { Amount } from "../layout/Amount.tsx";
import { Badge, Facts, type Kind, Panel } from "../layout/Panel.tsx";
import { Deadline } from "../layout/Time.tsx";
import { duration } from "../layout/time.ts";
import { routeHash } from "../routes.ts";
import { ActionView } from "../transactions/ActionView.tsx";
import { escrowCall } from "../transactions/escrowCall.ts";
import { sendOnce } from "../transactions/send.ts";
import { useAction } from "../transactions/useAction.ts";

const STATUS: Record<ListedAgreement["status"], readonly [text: string, kind: Kind]> = {
  none: ["unknown", "bad"],
  open: ["open", "good"],
  closing: ["closing", "warn"],
  refunded: ["refunded", "plain"],
  released: ["released", "plain"],
};

export function AgreementPanel({ agreement }: { agreement: ListedAgreement }) {
  const { agreementId, status, amount, paid, token, deadline, settled } = agreement;
  const now = useNow();
  const passed = now !== undefined && Number(deadline) < now;
  const live = status === "open" || status === "closing";
  const [text, kind] = STATUS[status];
  return (
    <Panel
      level={3}
      title={
        <>
          Agreement <HashText value={agreementId} />
        </>
      }
      end={<Badge kind={live && passed ? "warn" : kind}>{live && passed ? "deadline passed" : text}</Badge>}
    >
      <Facts
        facts={[
          ["Paid in", <Amount key="i" value={amount} token={token} />],
          ["Earned by proofs", <Amount key="p" value={paid} token={token} whole={amount} />],
          [
            live ? "Can still come back" : "Came back",
            <Amount key="l" value={amount - paid} token={token} whole={amount} />,
          ],
          ["Tokens settled", settled === null ? "none yet" : settled.tokens.toLocaleString()],
          [live ? "Proofs until" : "Deadline was", <Deadline key="d" at={deadline} />],
          ["Contributor", <AddressText key="c" address={agreement.contributor} />],
        ]}
      />
      <p>
        <a href={routeHash({ page: "agreement", agreementId })}>Certificate: what was proven, and by whom</a>
      </p>
      {status === "open" && !passed && <Close agreement={agreement} />}
      {live && <Refund agreement={agreement} passed={passed} />}
    </Panel>
  );
}

function Close({ agreement: { agreementId, closeWindow } }: { agreement: ListedAgreement }) {
  const ctx = useChain();
  const purpose = `close-${agreementId}`;
  const action = useAction(purpose, (sending) =>
    sendOnce(sending, { purpose, label: "Close", call: escrowCall(ctx, "close", [agreementId]) }),
  );
  return (
    <div className="stack">
      <ActionView action={action} failed="The agreement is not closed">
        Close
      </ActionView>
      <p className="fine">
        Closing ends the service. The contributor then has {duration(Number(closeWindow))} to settle what you
        receipted.
      </p>
    </div>
  );
}

function Refund({ agreement, passed }: { agreement: ListedAgreement; passed: boolean }) {
  const { agreementId, amount, paid, token } = agreement;
  const ctx = useChain();
  const purpose = `refund-${agreementId}`;
  const action = useAction(purpose, (sending) =>
    sendOnce(sending, { purpose, label: "Refund", call: escrowCall(ctx, "refund", [agreementId]) }),
  );
  if (!passed) return null;
  return (
    <div className="stack">
      <p>
        The deadline has passed: <Amount value={amount - paid} token={token} /> can be credited to you, then
        withdrawn below.
      </p>
      <ActionView action={action} failed="Nothing was refunded" primary>
        Refund
      </ActionView>
    </div>
  );
}
