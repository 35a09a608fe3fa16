/** The report as Markdown tables, which read as plain text too. */
import type { GasReport, SettleReport } from "./report.ts";

const grouped = (value: number): string => value.toLocaleString("en-US");

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |\n`;
}

function settleTable(settle: Record<string, SettleReport>): string {
  const columns = Object.keys(settle);
  const head = row(["gas of settle with proofs", ...columns]) + row(["---", ...columns.map(() => "---:")]);
  const line = (name: string, value: (report: SettleReport) => number): string =>
    row([name, ...columns.map((count) => grouped(value(settle[count]!)))]);
  return (
    head +
    line("**in all**", ({ total }) => total) +
    line("**a proof**", ({ perProof }) => perProof) +
    line("floor by EIP prices", ({ floor }) => floor) +
    line("above the floor, %", ({ total, floor }) => Math.round((1000 * (total - floor)) / floor) / 10) +
    line("the transaction itself", ({ spent }) => spent.transaction) +
    line("calldata", ({ spent }) => spent.calldata) +
    line("pairings", ({ spent }) => spent.pairings) +
    line("other curve operations", ({ spent }) => spent.curve) +
    line("storage", ({ spent }) => spent.storage + spent.refund) +
    line("calls and the signature", ({ spent }) => spent.calls) +
    line("hashing", ({ spent }) => spent.hashing) +
    line("events", ({ spent }) => spent.logs) +
    line("arithmetic, memory, control flow", ({ spent }) => spent.rest) +
    line("bytes of calldata", ({ calldata }) => calldata)
  );
}

function namedTable(name: string, values: Record<string, number>): string {
  const lines = Object.entries(values).map(([key, gas]) => row([key, grouped(gas)]));
  return row([name, "gas"]) + row(["---", "---:"]) + lines.join("");
}

/** All figures of a report. */
export function gasTables({ register, open, functions, settle, oneProofByKeySize }: GasReport): string {
  return [
    settleTable(settle),
    namedTable("function", { register, open, ...functions }),
    namedTable("one proof under the key of size", oneProofByKeySize),
  ].join("\n");
}
