/** The report of the main job: for machines one JSON document, for people what happened at a glance. */
import { styleText } from "node:util";
import { duration, table } from "../cli/output.ts";
import { eth, type JobResult, reference } from "./mainJob.ts";

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);

/** The document `npm start -- --json` prints (docs: README). */
export function jobReport(job: JobResult) {
  const { registered, opened, evaluated, generated, settled } = job;
  const { perplexity_kjv: expected, greedy } = reference().cases["kjv-attn"]!;
  const bought = generated.agreements[0];
  const openingFee = BigInt(opened.openingFee);
  return {
    agreementId: opened.agreementId,
    status: "settled",
    adapter: { id: registered.adapterId, vkHash: registered.vkHash, modules: registered.modules },
    tokens: bought.tokensTotal,
    passes: bought.passes,
    perplexity: {
      base: evaluated.perplexity.base,
      adapter: evaluated.perplexity.adapter,
      reference: expected,
      relativeError: Math.abs(evaluated.perplexity.adapter - expected) / expected,
    },
    greedy: { text: generated.text, matchesReference: generated.text === greedy },
    proofs: job.proofs,
    money: {
      token: "ETH",
      deposited: opened.amount,
      openingFee: opened.openingFee,
      owed: settled.owed,
      contributorReceived: (job.contributorWithdrew - openingFee).toString(),
      buyerRefunded: job.buyerWithdrew.toString(),
    },
    gas: {
      register: Number(registered.gasUsed),
      open: Number(opened.gasUsed),
      settle: Number(job.settleGas),
      settlePerModule: Math.round(Number(job.settleGas) / registered.modules.length),
    },
    leakage: bought.leakage,
    timings: {
      registerMs: Math.round(registered.registerMs),
      manifestCheckMs: Math.round(opened.timings.manifestCheckMs),
      evaluateMs: Math.round(evaluated.timings.evaluateMs),
      generateMs: Math.round(generated.timings.generateMs),
      receiptBuyerMs: mean([evaluated.agreements[0].receiptMs, bought.receiptMs].filter((ms) => ms !== null)),
      receiptContributorMs: mean(job.receiptContributorMs),
      proveMs: job.proofs.reduce((sum, { proveMs }) => sum + proveMs, 0),
      verifyMs: Math.round(job.verifyMs),
    },
  };
}

export type JobReport = ReturnType<typeof jobReport>;

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
