/** Group by group: whether its proof holds, and whether the chain has it. */

import { Badge, TableFrame } from "../layout/Panel.tsx";
import { TransactionLink } from "../transactions/ActionView.tsx";
import type { GroupVerdict } from "../verification/checkBundle.ts";
import type { ProvenGroup } from "./proven.ts";

function names(modules: readonly string[]): string {
  if (modules.length === 0) return "names not known here";
  return modules.length <= 4
    ? modules.join(", ")
    : `${modules.slice(0, 3).join(", ")} and ${modules.length - 3} more`;
}

function Verdict({ verdict }: { verdict: GroupVerdict | undefined }) {
  if (verdict === undefined) return <Badge>not checked yet</Badge>;
  if (verdict.status === "proven") return <Badge kind="good">proof holds</Badge>;
  if (verdict.status === "missing") return <Badge kind="bad">no proof in the bundle</Badge>;
  return (
    <>
      <Badge kind="bad">proof fails</Badge>{" "}
      <span className="bad-text reason">{verdict.failure?.message}</span>
    </>
  );
}

export function ProofTable({
  groups,
  verdicts,
  proven,
  sending,
}: {
  groups: number;
  verdicts: readonly GroupVerdict[];
  proven: ReadonlyMap<number, ProvenGroup>;
  /** Groups in a transaction under way. */
  sending: ReadonlySet<number>;
}) {
  const byGroup = new Map(verdicts.map((verdict) => [verdict.group, verdict]));
  return (
    <TableFrame label="Proofs by group">
      <table>
        <thead>
          <tr>
            <th scope="col">Group</th>
            <th scope="col">Modules</th>
            <th scope="col">Checked here</th>
            <th scope="col">On chain</th>
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: groups }, (_, group) => group).map((group) => {
            const onChain = proven.get(group);
            return (
              <tr key={group}>
                <th scope="row">{group}</th>
                <td title={byGroup.get(group)?.modules.join(", ")}>
                  {names(byGroup.get(group)?.modules ?? [])}
                </td>
                <td>
                  <Verdict verdict={byGroup.get(group)} />
                </td>
                <td>
                  {onChain !== undefined ? (
                    <span className="row">
                      <Badge kind="good">proven</Badge> <TransactionLink hash={onChain.txHash} />
                    </span>
                  ) : sending.has(group) ? (
                    <Badge kind="warn">being sent</Badge>
                  ) : (
                    <Badge>not yet</Badge>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </TableFrame>
  );
}
