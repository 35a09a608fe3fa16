/** A certificate on the page. */
import { isEth } from "../../../runner/chain/erc20.ts";
import { formatAmount } from "../../../runner/cli/amounts.ts";
import { AddressText, HashText } from "../layout/AddressText.tsx";
import { downloadText } from "../layout/download.ts";
import { Badge, Facts, Notice, Panel } from "../layout/Panel.tsx";
import { Deadline, Time } from "../layout/Time.tsx";
import { ChecksPanel } from "./ChecksPanel.tsx";
import { type Certificate, certificateJson } from "./certificate.ts";
import { ManifestPanel } from "./ManifestPanel.tsx";
import { MoneyPanel } from "./MoneyPanel.tsx";
import { BlockText } from "./PlaceText.tsx";
import { ReceiptPanel } from "./ReceiptPanel.tsx";
import { ShowsPanel } from "./ShowsPanel.tsx";
import { TimelinePanel } from "./TimelinePanel.tsx";
import type { CertificateState } from "./useCertificate.ts";
import { useProveTimes } from "./useProveTimes.ts";
import { headline } from "./words.ts";

const KINDS = { proven: "good", unsettled: "plain", incomplete: "warn", failed: "bad" } as const;

export function CertificateView({
  certificate,
  state,
}: {
  certificate: Certificate;
  state: CertificateState;
}) {
  const { facts, verdict, receipts, checks } = certificate;
  const proveTimes = useProveTimes(facts.agreementId);
  const rogue = checks.find(({ name, result }) => name === "verifier" && result === "failed");
  const onlyLocal = checks.some((check) => check.onlyLocal);
  return (
    <>
      <Notice
        kind={onlyLocal && verdict === "proven" ? "warn" : KINDS[verdict]}
        title={headline(certificate)}
      >
        {onlyLocal && (
          <p>Under a dev key, whose secrets are public: this shows how it works, and proves nothing.</p>
        )}
        <p>
          Read at <Time at={facts.head.time} />
          {receipts.length > 0 && `, replayed here in ${(state.replay.ms / 1000).toFixed(1)} s`}: block{" "}
          <BlockText number={facts.head.number} hash={facts.head.hash} />
        </p>
        <p className="row">
          <button
            type="button"
            onClick={() =>
              downloadText(`certificate-${facts.agreementId}.json`, certificateJson(certificate))
            }
          >
            Download as JSON
          </button>
          <button type="button" onClick={state.again} disabled={state.step !== undefined}>
            Read again
          </button>
        </p>
      </Notice>
      {rogue !== undefined && (
        <Notice kind="bad" title="This adapter's verifier is not of this release">
          <p>{rogue.detail}. What the escrow paid out under it was not protected by any proof.</p>
        </Notice>
      )}
      <Parties certificate={certificate} />
      <MoneyPanel certificate={certificate} />
      <ChecksPanel checks={checks} />
      {state.modules.modules === undefined && <ManifestPanel facts={facts} modules={state.modules} />}
      {receipts.length === 0 && (
        <Panel title="Receipts">
          <p>No proof was sent for this agreement{facts.returned === null ? " yet" : ""}.</p>
        </Panel>
      )}
      {receipts.map((receipt, at) => (
        <ReceiptPanel
          key={receipt.receiptHash}
          title={receipts.length === 1 ? "Receipt" : `Receipt ${at + 1} of ${receipts.length}`}
          receipt={receipt}
          facts={facts}
          proveTimes={at === receipts.length - 1 ? proveTimes : new Map()}
        />
      ))}
      <TimelinePanel certificate={certificate} />
      <ShowsPanel />
    </>
  );
}

const STATUS = {
  none: ["plain", "none"],
  open: ["good", "open"],
  closing: ["warn", "closing"],
  refunded: ["plain", "refunded"],
  released: ["plain", "released"],
} as const;

function Parties({ certificate: { facts, modules } }: { certificate: Certificate }) {
  const { opening, registration, now, token } = facts;
  const [kind, word] = STATUS[now.status];
  return (
    <Panel
      title={
        <>
          Agreement <HashText value={facts.agreementId} label="agreement" />
        </>
      }
      end={<Badge kind={kind}>{word}</Badge>}
    >
      <Facts
        facts={[
          ["Buyer", <AddressText key="b" address={opening.buyer} label="buyer" />],
          ["Signs the receipts", <AddressText key="s" address={opening.signer} label="signer" />],
          ["Contributor", <AddressText key="c" address={registration.contributor} label="contributor" />],
          ["Is paid", <AddressText key="p" address={now.payout} label="payout account" />],
          ["Adapter", <HashText key="a" value={registration.adapterId} label="adapter" />],
          [
            "Proven by",
            `${registration.groups} ${registration.groups === 1 ? "proof" : "proofs"} a receipt${
              modules.length === 0 ? "" : ` for ${modules.length} modules`
            }`,
          ],
          ["Verifier", <AddressText key="v" address={registration.verifier} label="verifier" />],
          ["Price", `${formatAmount(opening.offer.pricePerToken, token)} a token`],
          [
            "Paid in the token at",
            isEth(token.address) ? undefined : (
              <AddressText key="t" address={token.address} label="token paid in" />
            ),
          ],
          [
            now.status === "open" || now.status === "closing" ? "Proofs until" : "Deadline was",
            now.status === "open" || now.status === "closing" ? (
              <Deadline key="d" at={now.deadline} />
            ) : (
              <Time key="d" at={now.deadline} />
            ),
          ],
        ]}
      />
    </Panel>
  );
}
