/** Two contributors serve one model, one is paid in an ERC-20 and is killed in between: real processes, real chain. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { testAccount } from "../../runner/chain/accounts.ts";
import { credits, readAgreement } from "../../runner/chain/agreements.ts";
import { type ChainContext, connect } from "../../runner/chain/connect.ts";
import { freePort, type LocalNode, startLocalNode } from "../../runner/chain/localNode.ts";
import { type RunningCommand, runCommand, startCommand } from "../../runner/demo/commands.ts";
import { FIXTURES } from "../../runner/demo/fixtures.ts";
import type { EvaluateResult, OpenResult, RegisterResult } from "../../runner/demo/results.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { deployToken } from "../chain/token.ts";

const ETH: Hex = "0x0000000000000000000000000000000000000000";
const TOKENS = 4096;
/** Smallest units a token, of ETH and of the ERC-20. */
const PRICE = 10;

const folder = mkdtempSync(join(tmpdir(), "deltapay-two-"));
let node: LocalNode;
let buyer: ChainContext;
let chain: string[];

before(async () => {
  node = await startLocalNode();
  const deploymentFile = join(folder, "deployment.json");
  chain = ["--rpc", node.rpcUrl, "--deployment", deploymentFile];
  await runCommand(["deploy", ...chain]);
  buyer = await connect({ rpcUrl: node.rpcUrl, account: testAccount(2), deploymentFile });
});

after(async () => {
  await node.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Contributor {
  account: number;
  port: number;
  token: Hex;
  service: RunningCommand<{ url: string }>;
}

const flags = (account: number, name: string): string[] => [
  ...["--account", String(account), "--data", join(folder, name)],
  ...chain,
];

function serve(account: number, port: number): Promise<RunningCommand<{ url: string }>> {
  return startCommand(["serve", "--port", String(port), ...flags(account, `contributor-${account}`)]);
}

async function contributor(
  account: number,
  adapter: keyof typeof FIXTURES.adapters,
  token: Hex,
): Promise<Contributor> {
  const own = flags(account, `contributor-${account}`);
  const directory = FIXTURES.adapters[adapter];
  await runCommand<RegisterResult>(["adapter", "register", directory, "--model", FIXTURES.model, ...own]);
  const payment = token === ETH ? [] : ["--token", token];
  const terms = [
    "--price",
    token === ETH ? `${PRICE}wei` : `${PRICE}`,
    "--fee",
    "0",
    "--max-unpaid",
    "1024",
    "--cap",
    "8192",
  ];
  await runCommand(["offer", "make", ...terms, ...payment, ...own]);
  const port = await freePort();
  return { account, port, token, service: await serve(account, port) };
}

async function open({ service, token }: Contributor): Promise<Hex> {
  const amount = `${PRICE * 5000}${token === ETH ? "wei" : ""}`;
  const { agreementId } = await runCommand<OpenResult>([
    ...["open", "--contributor", service.result.url, "--amount", amount, "--model", FIXTURES.model],
    ...(token === ETH ? [] : ["--token", token]),
    ...flags(2, "buyer"),
  ]);
  return agreementId;
}

const evaluate = (services: readonly string[], ...more: string[]): Promise<EvaluateResult> =>
  runCommand<EvaluateResult>([
    ...["evaluate", "--text", FIXTURES.text, "--model", FIXTURES.model, "--no-base", ...more],
    ...services.flatMap((url) => ["--contributor", url]),
    ...["--data", join(folder, "buyer"), ...chain],
  ]);

async function untilPaid(agreementId: Hex, amount: bigint): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if ((await readAgreement(buyer, agreementId)).paid === amount) return;
    await sleep(100);
  }
  assert.fail(`agreement ${agreementId} was not settled`);
}

test("both adapters' deltas add up, each contributor is paid its own, also after a kill", async () => {
  const erc20 = await deployToken(buyer, BigInt(PRICE * 5000));
  const one = await contributor(1, "kjv-attn", ETH);
  const two = await contributor(3, "kjv-proj", erc20);
  try {
    const agreements = [await open(one), await open(two)] as const;
    // a first part of the text, then the second contributor dies without a word and comes back at the same place
    const part = ["--max-tokens", "512"];
    await evaluate([one.service.result.url, two.service.result.url], ...part);
    await two.service.kill();
    two.service = await serve(two.account, two.port);

    const { perplexity } = await evaluate([one.service.result.url, two.service.result.url], "--end");
    const reference = JSON.parse(readFileSync(FIXTURES.reference, "utf8")) as {
      cases: Record<string, { perplexity_kjv: number }>;
    };
    const expected = reference.cases["kjv-attn+kjv-proj"]!.perplexity_kjv;
    assert.ok(Math.abs(perplexity.adapter - expected) / expected < 0.002, `${perplexity.adapter}`);

    const owed = BigInt(PRICE * (TOKENS + 512));
    for (const [i, { account, token }] of [one, two].entries()) {
      await untilPaid(agreements[i]!, owed);
      assert.equal(await credits(buyer, token, testAccount(account).address), owed);
    }
  } finally {
    await one.service.stop();
    await two.service.stop();
  }
});
