/** The report of the main job for a person: what happened, at a glance. */
import { styleText } from "node:util";
import { formatEther } from "viem";
import type { JobResult } from "../demo/mainJob.ts";
import type { JobReport } from "../demo/report.ts";
import { duration, table } from "./output.ts";

const eth = (wei: bigint): string => `${formatEther(wei)} ETH`;

/** Lines for a person. */
export function reportLines(report: JobReport, { balances }: JobResult, totalMs: number): string[] {
  const { adapter, perplexity, greedy, proofs, money, gas, leakage, timings } = report;
  const bold = (text: string): string => styleText("bold", text, { stream: process.stdout });
  const change = (before: bigint, after: bigint): string =>
    `${after >= before ? "+" : ""}${eth(after - before)} (gas included)`;
  return [
    "",
    bold(`Paid for: ${report.tokens} tokens in ${report.passes} passes, every one of them proven`),
    table(
      ["module", "node", "d_in → d_out, r", "proof", "verified"],
      adapter.modules.map(({ name, node, shape: [dIn, dOut, r], group }) => {
        const proof = proofs.find((candidate) => candidate.group === group)!;
        return [name, node, `${dIn} → ${dOut}, ${r}`, duration(proof.proveMs), proof.verified ? "yes" : "NO"];
      }),
    ),
    `perplexity  ${perplexity.base.toFixed(2)} without the adapter, ${bold(perplexity.adapter.toFixed(2))} with it; a float run gives ${perplexity.reference.toFixed(2)} (off by ${(100 * perplexity.relativeError).toFixed(3)} %)`,
    `text        ${JSON.stringify(greedy.text)}`,
    `            ${greedy.matchesReference ? "the same as a float run's" : "NOT the same as a float run's"}`,
    `money       ${eth(BigInt(money.deposited))} paid in, ${bold(eth(BigInt(money.owed)))} earned, ${eth(BigInt(money.buyerRefunded))} returned; opening fee ${eth(BigInt(money.openingFee))}`,
    `            contributor ${change(balances.before.contributor, balances.after.contributor)}, buyer ${change(balances.before.buyer, balances.after.buyer)}`,
    `gas         register ${gas.register}, open ${gas.open}, settle ${gas.settle} (${gas.settlePerModule} a module)`,
    `time        register ${duration(timings.registerMs)}, check ${duration(timings.manifestCheckMs)}, receipt ${duration(timings.receiptBuyerMs)} / ${duration(timings.receiptContributorMs)}, proofs ${duration(timings.proveMs)}, verify one ${duration(timings.verifyMs)}`,
    `leakage     ${leakage.tokensSold} tokens sold; a buyer who chooses its inputs needs about ${leakage.dInHalf}: ${leakage.ratio.toFixed(0)} times over. This price sells the adapter.`,
    `agreement   ${report.agreementId}`,
    `all of it in ${duration(totalMs)}`,
  ];
}
