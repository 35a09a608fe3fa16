/** A button that sends, and what became of what it sent. */
import type { ReactNode } from "react";
import { usePageConfig } from "../chain/ChainProvider.tsx";
import { HashText } from "../layout/AddressText.tsx";
import { Failure } from "../layout/Failure.tsx";
import { Badge, type Kind } from "../layout/Panel.tsx";
import type { TransactionRecord, TransactionState } from "./record.ts";
import type { Action } from "./useAction.ts";

const WORDS: Record<TransactionState, readonly [text: string, kind: Kind]> = {
  asking: ["waiting for the wallet", "warn"],
  pending: ["pending: sent, not mined yet", "warn"],
  unsent: ["not sent", "plain"],
  confirmed: ["confirmed", "good"],
  reverted: ["reverted: mined, nothing changed", "bad"],
  replaced: ["replaced by another transaction", "bad"],
  cancelled: ["cancelled in the wallet", "bad"],
};

/** One transaction and where it stands. */
function TransactionLine({ record }: { record: TransactionRecord }) {
  const [text, kind] = WORDS[record.state];
  const hash = record.minedHash ?? record.hash;
  const spedUp =
    record.state === "confirmed" && record.hash !== undefined && record.minedHash !== record.hash;
  return (
    <li>
      <span>{record.label}</span>
      <Badge kind={kind}>{spedUp ? "confirmed, sped up in the wallet" : text}</Badge>
      {hash !== undefined && <TransactionLink hash={hash} />}
      {record.blockNumber !== undefined && <span className="fine">block {record.blockNumber}</span>}
      {record.gasUsed !== undefined && (
        <span className="fine">{BigInt(record.gasUsed).toLocaleString()} gas</span>
      )}
      {record.state === "unsent" && record.failure !== undefined && (
        <span className="fine">{record.failure.message}</span>
      )}
    </li>
  );
}

/** A transaction's hash, with a way to the explorer where there is one. */
export function TransactionLink({ hash }: { hash: `0x${string}` }) {
  const { explorerUrl } = usePageConfig();
  return (
    <span>
      <HashText value={hash} label="Transaction" />
      {explorerUrl !== undefined && (
        <a href={new URL(`tx/${hash}`, `${explorerUrl}/`).href} target="_blank" rel="noreferrer">
          explorer
        </a>
      )}
    </span>
  );
}

/** @param newest how many of the newest transactions to show */
export function TransactionList({
  records,
  newest = Number.POSITIVE_INFINITY,
}: {
  records: readonly TransactionRecord[];
  newest?: number;
}) {
  const shown = records.slice(-newest);
  return (
    <ul className="steps" aria-live="polite" aria-label="Transactions">
      {shown.map((record) => (
        <TransactionLine key={record.askedAt} record={record} />
      ))}
    </ul>
  );
}

/** @param failed what to say above an error, as `The agreement was not closed` */
export function ActionView({
  action,
  children,
  failed,
  disabled = false,
  primary = false,
}: {
  action: Action;
  children: ReactNode;
  failed: string;
  disabled?: boolean;
  primary?: boolean;
}) {
  const { problem, busy, error, records } = action;
  return (
    <div className="stack">
      <div className="row">
        <button
          type="button"
          className={primary ? "primary" : undefined}
          disabled={busy || disabled || problem !== undefined}
          onClick={action.run}
        >
          {children}
        </button>
        {problem !== undefined && <span className="fine">First: {problem.hint}.</span>}
      </div>
      {(busy || error !== undefined || records.length > 0) && (
        <TransactionList records={records} newest={1} />
      )}
      {error !== undefined && error !== null && <Failure title={failed} error={error} />}
    </div>
  );
}
