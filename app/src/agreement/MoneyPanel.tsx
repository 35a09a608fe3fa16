/** Money in and out, as a bar and as a table. */

import type { Token } from "../../../runner/chain/erc20.ts";
import { formatAmount } from "../../../runner/cli/amounts.ts";
import { AddressText } from "../layout/AddressText.tsx";
import { amountBeside } from "../layout/amountBeside.ts";
import { Panel, TableFrame } from "../layout/Panel.tsx";
import { Time } from "../layout/Time.tsx";
import type { Certificate } from "./certificate.ts";
import type { Money } from "./money.ts";
import { PlaceText } from "./PlaceText.tsx";

const PARTS = [
  ["fee", "Opening fee, to the contributor at once"],
  ["earned", "Earned by proven tokens"],
  ["returned", "Back to the buyer"],
  ["held", "Held in the escrow"],
] as const;

/** Percent of the whole with two decimals, exact enough for a picture. */
const share = (part: bigint, whole: bigint): number =>
  whole === 0n ? 0 : Number((part * 10_000n) / whole) / 100;

function MoneyBar({ money, token }: { money: Money; token: Token }) {
  const whole = money.fee + money.amount;
  let left = 0;
  const parts = PARTS.map(([name, words]) => {
    const width = share(money[name], whole);
    const part = { name, words, width, left };
    left += width;
    return part;
  }).filter(({ width }) => width > 0);
  if (whole === 0n) return null;
  const words = parts
    .map(({ name, words: what }) => `${what}: ${amountBeside(money[name], whole, token)}`)
    .join("; ");
  return (
    <svg className="money-bar" role="img" aria-label={words} height="14">
      {parts.map(({ name, width, left: x }) => (
        <rect key={name} className={`money-${name}`} x={`${x}%`} y="0" width={`${width}%`} height="14" />
      ))}
    </svg>
  );
}

export function MoneyPanel({ certificate: { facts, money } }: { certificate: Certificate }) {
  const { token, withdrawals } = facts;
  const whole = money.fee + money.amount;
  return (
    <Panel title="Money" end={<span className="figure">{formatAmount(whole, token)} paid in</span>}>
      <MoneyBar money={money} token={token} />
      <table className="narrow">
        <tbody>
          {PARTS.map(([name, words]) => (
            <tr key={name}>
              <th scope="row">
                <svg className="swatch" width="10" height="10" aria-hidden="true">
                  <rect className={`money-${name}`} width="10" height="10" />
                </svg>{" "}
                {words}
              </th>
              <td className="number">{amountBeside(money[name], whole, token)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {withdrawals.length > 0 && (
        <details>
          <summary>
            Withdrawals of the two accounts since, from all their agreements ({withdrawals.length})
          </summary>
          <TableFrame label="Withdrawals">
            <table>
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">From the credit of</th>
                  <th scope="col">To</th>
                  <th scope="col" className="number">
                    Amount
                  </th>
                  <th scope="col">Where</th>
                </tr>
              </thead>
              <tbody>
                {withdrawals.map(({ account, to, amount, at }) => (
                  <tr key={`${at.txHash}-${account}`}>
                    <td>
                      <Time at={at.time} />
                    </td>
                    <td>
                      <AddressText address={account} />
                    </td>
                    <td>
                      <AddressText address={to} />
                    </td>
                    <td className="number">{formatAmount(amount, token)}</td>
                    <td>
                      <PlaceText at={at} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </TableFrame>
        </details>
      )}
    </Panel>
  );
}
