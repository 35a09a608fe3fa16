/** One receipt: who signed what, and group by group its proof, with gas and time as bars beside the figures. */
import { errorOf } from "../failure.ts";
import { AddressText, HashText } from "../layout/AddressText.tsx";
import { amountBeside } from "../layout/amountBeside.ts";
import { Failure } from "../layout/Failure.tsx";
import { Badge, Facts, type Kind, Panel, TableFrame } from "../layout/Panel.tsx";
import { TransactionLink } from "../transactions/ActionView.tsx";
import type { AgreementFacts } from "./facts.ts";
import type { GroupStatus, ReceiptStatus } from "./receipts.ts";

const STATUS: Record<GroupStatus["status"], [Kind, string]> = {
  proven: ["good", "proof holds"],
  failed: ["bad", "proof fails"],
  waiting: ["plain", "not sent yet"],
  unreadable: ["warn", "not readable"],
};

function summary({ settled, proven, failure, groups }: ReceiptStatus): [Kind, string] {
  if (failure !== undefined || groups.some(({ status }) => status === "failed"))
    return ["bad", "does not hold"];
  if (settled) return proven ? ["good", "settled, every proof holds"] : ["warn", "settled, not all readable"];
  return ["plain", "not settled yet"];
}

export function ReceiptPanel({
  title,
  receipt,
  facts,
  proveTimes,
}: {
  title: string;
  receipt: ReceiptStatus;
  facts: AgreementFacts;
  /** Milliseconds by group, where they are known. */
  proveTimes: ReadonlyMap<number, number>;
}) {
  const [kind, words] = summary(receipt);
  const settled = facts.receipts.find(({ receiptHash }) => receiptHash === receipt.receiptHash)?.settled;
  const said = receipt.receipt ?? settled ?? undefined;
  return (
    <Panel title={title} end={<Badge kind={kind}>{words}</Badge>}>
      <Facts
        facts={[
          [
            "Covers",
            said && `${said.tokens.toLocaleString()} tokens in ${said.passes.toLocaleString()} passes`,
          ],
          ["Signed by", <AddressText key="s" address={facts.opening.signer} label="signer" />],
          [
            "Credited",
            settled ? amountBeside(settled.credited, facts.opening.amount, facts.token) : undefined,
          ],
          ["Receipt", <HashText key="r" value={receipt.receiptHash} label="receipt" />],
          ["Transcript head", said && <HashText key="h" value={said.head} label="head" />],
        ]}
      />
      {receipt.failure !== undefined && (
        <Failure title="The receipt does not hold" error={errorOf(receipt.failure)} />
      )}
      <GroupTable groups={receipt.groups} proveTimes={proveTimes} />
    </Panel>
  );
}

function GroupTable({
  groups,
  proveTimes,
}: {
  groups: readonly GroupStatus[];
  proveTimes: ReadonlyMap<number, number>;
}) {
  const gas = groups.map((group) => Number(group.gas ?? 0n));
  const times = groups.map(({ group }) => proveTimes.get(group) ?? 0);
  const [mostGas, longest] = [Math.max(1, ...gas), Math.max(1, ...times)];
  return (
    <>
      <TableFrame label="Proofs by group">
        <table className="groups">
          <thead>
            <tr>
              <th scope="col">Modules</th>
              <th scope="col">Replayed here</th>
              <th scope="col">Gas, its share</th>
              {proveTimes.size > 0 && <th scope="col">Time to prove</th>}
              <th scope="col">Sent in</th>
            </tr>
          </thead>
          <tbody>
            {groups.map((group, at) => (
              <tr key={group.group}>
                <th scope="row">
                  <ModuleNames group={group} />
                </th>
                <td>
                  <Badge kind={STATUS[group.status][0]}>{STATUS[group.status][1]}</Badge>
                  {group.failure !== undefined && (
                    <span className="fine bad-text reason">{group.failure.message}</span>
                  )}
                </td>
                <td>
                  {group.gas === null ? (
                    "–"
                  ) : (
                    <Bar share={gas[at]! / mostGas} text={group.gas.toLocaleString()} kind="gas" />
                  )}
                </td>
                {proveTimes.size > 0 && (
                  <td>
                    {times[at] === 0 ? (
                      "–"
                    ) : (
                      <Bar share={times[at]! / longest} text={`${times[at]!.toFixed(0)} ms`} kind="time" />
                    )}
                  </td>
                )}
                <td>{group.txHash === null ? "–" : <TransactionLink hash={group.txHash} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
      <p className="fine">
        Gas is that of the transaction, in equal parts for the proofs it brought.
        {proveTimes.size === 0 && " How long proving took is known to the contributor's service alone."}
      </p>
    </>
  );
}

function ModuleNames({ group: { group, modules } }: { group: GroupStatus }) {
  if (modules.length === 0) return <>group {group}</>;
  const [first, ...more] = modules;
  if (more.length === 0) return <>{first}</>;
  return (
    <details>
      <summary>
        {first} and {more.length} more
      </summary>
      {more.join(", ")}
    </details>
  );
}

/** A figure with its bar; the figure is the table's, the bar is for the eye. */
function Bar({ share, text, kind }: { share: number; text: string; kind: "gas" | "time" }) {
  return (
    <span className="bar">
      <svg aria-hidden="true" height="10">
        <rect className={`bar-${kind}`} width={`${Math.max(1, share * 100)}%`} height="10" />
      </svg>
      <span className="number">{text}</span>
    </span>
  );
}
