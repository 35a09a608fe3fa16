/** A process with some of the buyers: each its own agreement and data, all asking at the same time. */
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buyerChain } from "../../runner/buyer/chainView.ts";
import { discover } from "../../runner/buyer/client/discover.ts";
import { loadAdapter, verifyServedAdapter } from "../../runner/buyer/loadAdapter.ts";
import { checkOffer } from "../../runner/buyer/opening/offer.ts";
import { openAgreement } from "../../runner/buyer/opening/open.ts";
import { RemoteAdapter } from "../../runner/buyer/session/remoteAdapter.ts";
import { openBuyerData } from "../../runner/buyer/store/dataFolder.ts";
import { testAccount } from "../../runner/chain/accounts.ts";
import { connect, domainOf } from "../../runner/chain/connect.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";

export interface BuyersTask {
  folder: string;
  chain: { rpcUrl: string; deploymentFile: string };
  url: string;
  model: string;
  buyers: { account: number; adapterId: Hex }[];
  tokens: number;
}

/** What the parent says, in this order, times in milliseconds. */
export type Command = { kind: "open"; task: BuyersTask } | { kind: "run"; warmUp: number; measured: number };

export interface BuyerFigures {
  adapterId: Hex;
  /** Finished in the time that is measured, in milliseconds each. */
  passes: number[];
  /** Round trips of them, in milliseconds each. */
  requests: number[];
  errors: string[];
  /** Whether both sides agree on what was served, and all of it has a receipt. */
  agrees: boolean;
}

const AMOUNT = 10n ** 12n;

let task: BuyersTask;

/** Finds the service, verifies the adapter, opens an agreement and a session. */
async function openOne({ account, adapterId }: BuyersTask["buyers"][number], index: number) {
  const { chain: where, url, model: modelPath, folder } = task;
  const payer = testAccount(account);
  const ctx = await connect({ ...where, account: payer });
  const data = await openBuyerData(path.join(folder, `buyer-${account}-${index}`));
  const chain = buyerChain(ctx);
  const [domain, registry] = [domainOf(ctx), ctx.deployment.registry];
  const found = await discover({ url, domain, registry, adapterId, readAdapter: chain.readAdapter });
  const { layout } = await verifyServedAdapter(ctx, data, found, { modelPath });
  const { contributor, manifestHash } = found.entry;
  const [offer] = found.offers;
  await checkOffer(offer!, { domain, adapterId, contributor, layout });
  const { terms } = await openAgreement({
    ...{ chain, store: data.store, vault: data.vault, domain, registry, contributor, manifestHash },
    ...{ buyer: payer.address, record: found.record, offer: offer!, amount: AMOUNT, pollMs: 200 },
  });
  await found.client.http.close();
  const adapter = new RemoteAdapter(await loadAdapter(ctx, data, terms, { modelPath }));
  await adapter.connect();
  return { adapter, data };
}

type Opened = Awaited<ReturnType<typeof openOne>>;

const activations = (length: number): Int16Array =>
  Int16Array.from({ length }, () => Math.floor(Math.random() * 65_535) - 32_767);

/** A pass as the model would make it: one round trip after the other, one for each module. */
async function pass(adapter: RemoteAdapter): Promise<number[]> {
  const requests: number[] = [];
  await adapter.beginPass(task.tokens);
  for (const [m, { dIn }] of adapter.layout.modules.entries()) {
    const X = activations(task.tokens * dIn);
    const began = performance.now();
    await adapter.answer([m], X);
    requests.push(performance.now() - began);
  }
  await adapter.finishPass();
  return requests;
}

async function use({ adapter }: Opened, from: number, until: number): Promise<BuyerFigures> {
  const figures = { adapterId: adapter.terms.offer.adapterId, passes: [], requests: [], errors: [] };
  const made: Omit<BuyerFigures, "agrees"> = figures;
  while (Date.now() < until) {
    const began = performance.now();
    try {
      const requests = await pass(adapter);
      if (Date.now() < from || Date.now() > until) continue;
      made.passes.push(performance.now() - began);
      made.requests.push(...requests);
    } catch (error) {
      made.errors.push(String(error));
      await sleep(500);
    }
  }
  return { ...made, agrees: await agrees(adapter) };
}

async function agrees(adapter: RemoteAdapter): Promise<boolean> {
  await adapter.signReceipt();
  const { passes, tokens } = adapter.progress;
  const view = await adapter.status();
  return view.passes === passes && view.tokens === tokens && view.receipt.tokens === tokens;
}

let opened: Opened[] = [];

async function obey(command: Command): Promise<BuyerFigures[] | "open"> {
  if (command.kind === "open") {
    task = command.task;
    // An account's transactions one after the other.
    for (const [index, buyer] of task.buyers.entries()) opened.push(await openOne(buyer, index));
    return "open";
  }
  const from = Date.now() + command.warmUp;
  const figures = await Promise.all(opened.map((one) => use(one, from, from + command.measured)));
  for (const { data } of opened) data.close();
  opened = [];
  await (await loadCurve()).terminate();
  return figures;
}

process.once("disconnect", () => process.exit(0));
process.on("message", (command: Command) =>
  obey(command).then(
    (answer) => process.send!({ answer }),
    (error: Error) => process.send!({ failure: error.stack ?? String(error) }),
  ),
);
