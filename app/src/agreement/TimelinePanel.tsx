/** What happened when: a picture, and the same as a table. */
import { amountBeside } from "../layout/amountBeside.ts";
import { Panel, TableFrame } from "../layout/Panel.tsx";
import { Time } from "../layout/Time.tsx";
import type { Certificate } from "./certificate.ts";
import { PlaceText } from "./PlaceText.tsx";
import { TimelineChart } from "./TimelineChart.tsx";

export function TimelinePanel({ certificate: { timeline, facts } }: { certificate: Certificate }) {
  return (
    <Panel title="Timeline">
      <TimelineChart timeline={timeline} now={facts.head.time} />
      <TableFrame label="Timeline as a table">
        <table className="history">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">When</th>
              <th scope="col" className="number">
                Amount
              </th>
              <th scope="col">Where</th>
            </tr>
          </thead>
          <tbody>
            {timeline.map((happening, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: what happened stays in its order
              <tr key={at}>
                <th scope="row">
                  {happening.kind} <span className="fine">{happening.detail}</span>
                </th>
                <td>
                  <Time at={happening.time} />
                </td>
                <td className="number">
                  {happening.amount === undefined
                    ? "–"
                    : amountBeside(happening.amount, facts.opening.amount, facts.token)}
                </td>
                <td>{happening.at === undefined ? "–" : <PlaceText at={happening.at} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
    </Panel>
  );
}
