/** Where the money went and what was proven, as pictures. */
import { formatEther } from "ethers";
import type { Module } from "../formats/manifest.ts";
import type { Summary } from "../summary.ts";
import { escaped, short } from "./escape.ts";

const WIDTH = 720;

/** An amount for people: ETH, or a token's smallest units. */
export function amountText(amount: bigint, token: string): string {
  return /^0x0+$/.test(token) ? `${formatEther(amount)} ETH` : `${amount} units of ${token}`;
}

interface Flow {
  label: string;
  amount: bigint;
  className: string;
}

function flowsOf({ openingFee, amount, paid, returned }: Summary): Flow[] {
  return [
    { label: "opening fee, to the contributor", amount: openingFee, className: "fee" },
    { label: "earned for proven tokens", amount: paid, className: "paid" },
    { label: "returned to the buyer", amount: returned, className: "back" },
    { label: "still held", amount: amount - paid - returned, className: "held" },
  ].filter((flow) => flow.amount > 0n);
}

const SOURCE = { x: 8, width: 14, top: 48, height: 180 };
const TARGET_X = 300;
/** Least height of a label's line. */
const LINE = 44;

/** Bands from what the buyer paid in to where it went, as high as their share. */
export function moneyPicture(summary: Summary): string {
  const flows = flowsOf(summary);
  const total = flows.reduce((sum, flow) => sum + flow.amount, 0n);
  if (total === 0n) return "<p>No money was paid in.</p>";
  let from = SOURCE.top;
  let to = SOURCE.top;
  const bands = flows.map(({ label, amount, className }) => {
    const height = Math.max(2, (Number((amount * 10_000n) / total) / 10_000) * SOURCE.height);
    const middle = (SOURCE.x + SOURCE.width + TARGET_X) / 2;
    const [left, right] = [SOURCE.x + SOURCE.width, TARGET_X];
    const path = `M${left} ${from}C${middle} ${from} ${middle} ${to} ${right} ${to}V${to + height}C${middle} ${to + height} ${middle} ${from + height} ${left} ${from + height}Z`;
    const y = to + Math.max(14, height / 2 - 2);
    const text = `<text x="${TARGET_X + 24}" y="${y}"><tspan class="strong">${escaped(amountText(amount, summary.token))}</tspan><tspan x="${TARGET_X + 24}" dy="17" class="quiet">${label}</tspan></text>`;
    const band = `<path class="band ${className}" d="${path}"/><rect class="${className}" x="${TARGET_X}" y="${to}" width="14" height="${height}"/>${text}`;
    from += height;
    to += Math.max(height + 8, LINE);
    return band;
  });
  const height = Math.max(to, SOURCE.top + SOURCE.height) + 8;
  const paidIn = amountText(total, summary.token);
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(`${paidIn} paid in: ${flows.map((flow) => `${amountText(flow.amount, summary.token)} ${flow.label}`).join(", ")}`)}">
<rect class="source" x="${SOURCE.x}" y="${SOURCE.top}" width="${SOURCE.width}" height="${from - SOURCE.top}"/>${bands.join("")}
<text x="${SOURCE.x}" y="18"><tspan class="strong">${escaped(paidIn)}</tspan><tspan x="${SOURCE.x}" dy="17" class="quiet">paid in by the buyer</tspan></text></svg>`;
}

const BAR_X = 300;
const ROW = 26;
/** More rows than this are no picture any more. */
const MOST_ROWS = 400;

/** A bar a module: the weights behind its commitments, by group. */
export function modulePicture(modules: readonly Module[], passedGroups: boolean): string {
  const shown = modules.slice(0, MOST_ROWS);
  const sizes = modules.map(({ dIn, dOut, r }) => r * (dIn + dOut));
  const largest = Math.max(...sizes);
  const rows = shown.map(({ name, dIn, dOut, r, group }, m) => {
    const y = m * ROW;
    const width = Math.max(3, (sizes[m]! / largest) * (WIDTH - BAR_X - 200));
    const state = passedGroups ? "proven" : "not shown to be proven";
    const title = `${name}: ${dIn} to ${dOut}, rank ${r}, group ${group}, ${state}`;
    return `<g><title>${escaped(title)}</title><text x="0" y="${y + 17}">${escaped(short(name, 38))}</text><rect class="group${group % 6}" x="${BAR_X}" y="${y + 5}" width="${width}" height="15" rx="3"/><text class="quiet" x="${BAR_X + width + 8}" y="${y + 17}">${dIn}→${dOut}, r ${r} · proof ${group}</text></g>`;
  });
  const more = modules.length > shown.length ? `<p>and ${modules.length - shown.length} more</p>` : "";
  return `<svg viewBox="0 0 ${WIDTH} ${shown.length * ROW + 4}" role="img" aria-label="${modules.length} modules and the proof that covers each">${rows.join("")}</svg>${more}`;
}
