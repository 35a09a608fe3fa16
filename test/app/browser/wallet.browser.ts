import assert from "node:assert/strict";
import { test } from "node:test";
import { testAccount } from "../../../runner/chain/accounts.ts";
import { BUYER, CONTRIBUTOR, Stage } from "./harness.ts";

const stage = await Stage.open();

const short = (index: number): string => testAccount(index).address.slice(0, 8);

test("a wallet that announces itself is connected and stays so after a reload", async () => {
  const asked: string[] = [];
  const tab = await stage.visit({
    decide: (method) => {
      asked.push(method);
      return "approve";
    },
  });
  await tab.connect();
  await tab.shows(new RegExp(short(CONTRIBUTOR)));
  await tab.page.reload();
  await tab.shows(new RegExp(short(CONTRIBUTOR)));
  assert.equal(asked.length, 1, "asked once: the reload asked nothing");
  tab.assertQuiet();
});

test("a connection that is rejected is said in words and can be tried again", async () => {
  let answer: "approve" | "reject" = "reject";
  const tab = await stage.visit({ wallet: BUYER, hash: "#/buyer", decide: () => answer });
  await tab.connect();
  await tab.shows(/rejected/i);
  await tab.assertAccessible();
  answer = "approve";
  await tab.connect();
  await tab.shows(new RegExp(short(BUYER)));
  tab.assertQuiet();
});

test("a wallet on another chain is told so and switched when its owner agrees", async () => {
  const asked: string[] = [];
  let answer: "approve" | "reject" = "approve";
  const decide = (method: string) => {
    asked.push(method);
    return answer;
  };
  const tab = await stage.visit({ walletChain: 1, decide });
  await tab.connect();
  await tab.shows(/on chain 1,/);
  await tab.assertAccessible();
  answer = "reject";
  const button = tab.page.getByRole("button", { name: "Switch to chain 31337" });
  await button.click();
  await tab.shows(/rejected/i);
  answer = "approve";
  await button.click();
  await button.waitFor({ state: "detached" });
  assert.deepEqual(asked.slice(1), ["wallet_switchEthereumChain", "wallet_switchEthereumChain"]);
  tab.assertQuiet();
});

test("the token leaves the address at once and lives as long as the tab", async () => {
  const tab = await stage.visit();
  // whatever the page shows first, the token is gone by then
  await tab.page.getByRole("heading", { level: 1 }).waitFor();
  assert.equal(await tab.page.evaluate(() => window.location.hash), "#/contributor");
  const kept = await tab.page.evaluate(() => [
    JSON.stringify(window.sessionStorage),
    JSON.stringify(window.localStorage),
  ]);
  assert.ok(kept[0]!.includes(stage.admin.token));
  assert.equal(kept[1]!.includes(stage.admin.token), false);
});

test("a chain that does not answer is said in words, and the page goes on when it does", async () => {
  const tab = await stage.visit({ hash: "#/adapters" });
  await tab.shows(/kjv|adapter/i);
  const down = (route: { abort: () => Promise<void> }) => route.abort();
  await tab.page.route(`${stage.rpcUrl}/**`, down);
  await tab.page.reload();
  tab.expected.push(/Failed to load resource/);
  await tab.shows(/cannot be reached|does not answer|unreachable|no answer/i);
  await tab.assertAccessible();
  await tab.page.unroute(`${stage.rpcUrl}/**`, down);
  const again = tab.page.getByRole("button", { name: /try again/i }).first();
  if (await again.isVisible()) await again.click();
  await tab.shows(new RegExp(stage.adapterId.slice(0, 8)));
  tab.assertQuiet();
});
