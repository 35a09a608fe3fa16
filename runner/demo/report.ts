/** The report of the main job, as one JSON document. */
import { type JobResult, reference } from "./mainJob.ts";

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
    status: settled.tokens === bought.tokensTotal ? "settled" : "incomplete",
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
