/** `demo --app`: chain, service and page left running with the demo's data, until Ctrl-C. */
import { AppStage, type StageFacts } from "../demo/appStage.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { untilStopped } from "./interrupt.ts";
import type { Output } from "./output.ts";

function lines({ pageUrl, contributorUrl, rpcUrl, folder, accounts, agreements }: StageFacts): string[] {
  return [
    `the page:                 ${pageUrl}`,
    `  as the contributor:     ${contributorUrl}`,
    `the chain:                ${rpcUrl} (chain 31337; a wallet of your own works too)`,
    "",
    "Agreements to look at:",
    `  settled                 ${agreements.settled}`,
    `  proven, to be submitted ${agreements.proven}`,
    `  under way               ${agreements.open}`,
    `  expired, to be refunded ${agreements.expired}`,
    "",
    'Test accounts (public mnemonic "test test test test test test test test test test test junk"):',
    ...accounts.map(({ name, index, address }) => `  ${index}  ${address}  ${name}`),
    "The page's demo wallet has them all: connect it, choose an account in the bar below.",
    `Data of both parties: ${folder}, gone when this ends.`,
    "Ctrl-C ends page, service and chain.",
  ];
}

/** Sets the stage, prints what is there, and waits. @param elapsed time since the start, for the steps */
export async function demoApp(out: Output, elapsed: () => string): Promise<void> {
  const stopped = untilStopped();
  const opening = AppStage.open({
    onStep: (title) => out.note(`${elapsed()} ${title}`),
    onLine: (line) => out.note(`          ${line}`),
  });
  const first = await Promise.race([stopped, opening]);
  if (first === "stopped") {
    // what is half set up ends with this process
    opening.catch(() => {});
    throw new DeltapayError("demo/interrupted", "it was stopped before it was ready");
  }
  const stage = first;
  try {
    out.result(stage.facts, () => lines(stage.facts));
    const why = await Promise.race([stopped, stage.chainEnded.then(() => "ended" as const)]);
    if (why === "ended") throw new DeltapayError("chain/node-failed", "the local chain ended by itself");
    out.note("ending page, service and chain");
  } finally {
    await stage.close();
  }
}
