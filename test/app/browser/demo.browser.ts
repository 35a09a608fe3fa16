import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import type { StageFacts } from "../../../runner/demo/appStage.ts";
import { FIXTURES } from "../../../runner/demo/fixtures.ts";
import { findChromium } from "../../../scripts/chromium.ts";
import { runJson } from "../../cli/command.ts";
import { temporaryDirectory } from "../../storage/temporary.ts";
import { ARGUMENTS, Tab } from "./tab.ts";

const MAIN = fileURLToPath(new URL("../../../runner/cli/main.ts", import.meta.url));
/** Milliseconds the demo may take to be ready, on a machine that is busy. */
const READY_TIMEOUT = 150_000;

/** `deltapay demo --app --json` as a process. */
async function demo(): Promise<{ facts: StageFacts; interrupt(): Promise<number | null> }> {
  const child = spawn(process.execPath, [MAIN, "demo", "--app", "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  after(() => child.kill());
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (bytes) => {
    stderr += bytes;
  });
  const facts = await new Promise<StageFacts>((resolve, reject) => {
    const fail = (): void => reject(new Error(`not ready: ${stdout}\n${stderr.slice(-2000)}`));
    const timer = setTimeout(fail, READY_TIMEOUT);
    child.once("close", fail);
    child.stdout.on("data", (bytes) => {
      stdout += bytes;
      try {
        const document = JSON.parse(stdout) as StageFacts | { error: unknown };
        clearTimeout(timer);
        if ("error" in document) fail();
        else resolve(document);
      } catch {
        // not all of it yet
      }
    });
  });
  return {
    facts,
    interrupt: () => {
      child.kill("SIGINT");
      return ended;
    },
  };
}

/** The buyer's client prepares an opening, the page pays it with the demo wallet, the client goes on. */
async function buyWithPage(tab: Tab, facts: StageFacts, data: string): Promise<void> {
  const { page } = tab;
  const chain = ["--rpc", facts.rpcUrl, "--deployment", path.join(facts.folder, "deployment.json")];
  const client = ["--model", FIXTURES.model, "--data", data, ...chain];
  const buyer = facts.accounts[1]!.address;
  const { agreementId, link } = await runJson<{ agreementId: string; link: string }>([
    ...["open", "--buyer", buyer, "--page", facts.pageUrl, "--contributor", facts.serviceUrl],
    ...["--amount", "0.001eth", ...client],
  ]);
  await page.getByLabel("Account", { exact: true }).selectOption("2");
  await page.goto(link);
  await page.getByRole("checkbox", { name: /is my own client's/ }).check();
  await page.getByRole("button", { name: "Pay in and open" }).click();
  await page.getByRole("dialog").getByText("Send a transaction").waitFor();
  await tab.assertAccessible();
  await page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await tab.shows("The agreement is open.");
  const { agreements } = await runJson<{ agreements: { tokensTotal: number }[] }>([
    ...[
      "generate",
      "--prompt",
      "In the beginning",
      "--max-tokens",
      "2",
      "--agreement",
      agreementId,
      ...client,
    ],
  ]);
  assert.ok(agreements[0]!.tokensTotal > 2);
}

async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url, { method: "POST", body: "{}", signal: AbortSignal.timeout(2000) });
    return true;
  } catch {
    return false;
  }
}

test("`demo --app` leaves everything running to click through with its wallet; Ctrl-C ends all of it", async (context) => {
  const { facts, interrupt } = await demo();
  const browser = await chromium.launch({ executablePath: findChromium()!, args: ARGUMENTS });
  after(() => browser.close());
  const profile = await browser.newContext({ reducedMotion: "reduce" });
  const page = await profile.newPage();
  const { adminUrl } = (await (await fetch(new URL("config.json", facts.pageUrl))).json()).services[0];
  const tab = new Tab(page, profile, new Set([new URL(facts.pageUrl).origin, facts.rpcUrl, adminUrl]));
  await page.goto(facts.contributorUrl);
  await tab.shows("DEMO WALLET");
  await tab.connect();
  const ask = page.getByRole("dialog");
  await ask.getByRole("button", { name: "Reject" }).waitFor();
  await tab.assertAccessible();
  await ask.getByRole("button", { name: "Approve" }).click();
  await tab.shows(new RegExp(facts.accounts[0]!.address.slice(0, 8)));
  for (const id of [facts.agreements.proven, facts.agreements.open])
    await tab.shows(new RegExp(id.slice(0, 8)));
  await tab.assertAccessible();
  await buyWithPage(tab, facts, temporaryDirectory(context));
  tab.assertQuiet();
  await browser.close();
  assert.equal(await interrupt(), 0);
  for (const url of [facts.pageUrl, facts.rpcUrl, facts.serviceUrl, adminUrl])
    assert.equal(await answers(url), false, `${url} still answers`);
  assert.equal(fs.existsSync(facts.folder), false, "its data is gone");
});
