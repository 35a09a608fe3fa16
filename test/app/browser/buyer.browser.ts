import assert from "node:assert/strict";
import { test } from "node:test";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { readAgreement } from "../../../runner/chain/agreements.ts";
import type { SignedOffer } from "../../../runner/wire/messages.ts";
import { stringifyMessage } from "../../../runner/wire/messages.ts";
import { deployToken } from "../../chain/token.ts";
import { BUYER, Stage } from "./harness.ts";
import type { Tab } from "./tab.ts";

/** Of decimals(). */
const DECIMALS = "0x313ce567";
const stage = await Stage.open();
const { world } = stage;

/** A buyer's page with an offer read into it. */
async function reading(
  { offer, signature }: SignedOffer,
  before = async (_: Tab): Promise<void> => {},
): Promise<{ tab: Tab; asked: string[] }> {
  const asked: string[] = [];
  const tab = await stage.visit({
    wallet: BUYER,
    hash: "#/buyer",
    decide: (method) => {
      asked.push(method);
      return "approve";
    },
  });
  await tab.connect();
  await before(tab);
  await tab.page
    .getByLabel("Signed offer or prepared opening, as JSON")
    .fill(stringifyMessage({ offer, signature }));
  await tab.page.getByRole("button", { name: "Read it" }).click();
  return { tab, asked };
}

/** Fills in the terms and pays; the agreement's id. */
async function open({ page, ...tab }: Tab, amount: string): Promise<`0x${string}`> {
  const signer = privateKeyToAddress(generatePrivateKey());
  await page.getByLabel("Pay in, besides the opening fee").fill(amount);
  await page.getByLabel("Receipts are signed by").fill(signer);
  await page.getByRole("button", { name: "Go on" }).click();
  const pay = page.getByRole("button", { name: "Pay in and open" });
  await page.getByText(/^Checked here/).waitFor();
  // Whoever holds the signer's key decides what is owed: the buyer is asked whose it is.
  assert.equal(await pay.isDisabled(), true);
  await page.getByRole("checkbox", { name: /is my own client's/ }).check();
  await pay.click();
  await page.getByText("The agreement is open.").waitFor();
  assert.deepEqual(tab.problems, []);
  const href = await page.getByRole("link", { name: "follow it" }).getAttribute("href");
  return href!.slice("#/agreement/".length) as `0x${string}`;
}

test("an offer is read in plain words, opened with ETH, closed and followed", async () => {
  const signed = await world.makeOffer(stage.adapterId, { openingFee: 7_000_000_000n, maxOpens: 3n });
  const { tab, asked } = await reading(signed);
  await tab.page.getByLabel("Pay in, besides the opening fee").waitFor();
  await tab.page.getByLabel("Pay in, besides the opening fee").fill("1");
  await tab.shows("add the unit: eth, gwei or wei");
  await tab.assertAccessible();
  const agreementId = await open(tab, "0.000001 eth");
  const agreement = await readAgreement(world.buyer.ctx, agreementId);
  assert.deepEqual([agreement.status, agreement.amount], ["open", 1_000_000_000_000n]);
  assert.equal(agreement.buyer.toLowerCase(), world.buyer.account.address.toLowerCase());
  const panel = stage.purchase(tab, agreementId);
  await panel.getByRole("button", { name: "Close", exact: true }).click();
  await panel.getByText("closing", { exact: true }).waitFor();
  await tab.shows("The agreement is closing: follow it.");
  await tab.page.getByRole("button", { name: "Done" }).click();
  await tab.assertAccessible();
  assert.equal((await readAgreement(world.buyer.ctx, agreementId)).status, "closing");
  assert.deepEqual(
    asked.filter((method) => method.startsWith("eth_")),
    ["eth_sendTransaction", "eth_sendTransaction"],
  );
  tab.assertQuiet();
});

test("an offer in a token is approved for its sum alone, then opened", async () => {
  const token = await deployToken(world.buyer.ctx, 10n ** 21n);
  const signed = await world.makeOffer(stage.adapterId, { token, pricePerToken: 10n ** 15n });
  const { tab, asked } = await reading(signed);
  const agreementId = await open(tab, "2 TST");
  const agreement = await readAgreement(world.buyer.ctx, agreementId);
  assert.deepEqual([agreement.token.toLowerCase(), agreement.amount], [token.toLowerCase(), 2n * 10n ** 18n]);
  assert.equal(asked.filter((method) => method === "eth_sendTransaction").length, 2);
  tab.assertQuiet();
});

test("a token that the node did not tell of at first is asked for again", async () => {
  const token = await deployToken(world.buyer.ctx, 1n);
  const signed = await world.makeOffer(stage.adapterId, { token, pricePerToken: 10n ** 15n });
  let overloaded = true;
  const { tab } = await reading(signed, async ({ page, expected }) => {
    expected.push(/503/);
    await page.route(`${stage.rpcUrl}/**`, (route) =>
      overloaded && route.request().postData()?.includes(DECIMALS)
        ? route.fulfill({ status: 503, headers: { "access-control-allow-origin": "*" } })
        : route.continue(),
    );
  });
  await tab.shows("Checking the offer…");
  // Both tries of one question have failed by then.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  overloaded = false;
  await tab.shows(/A token costs 0.001 TST/);
  await tab.page.unrouteAll({ behavior: "wait" });
  tab.assertQuiet();
});

test("a contributor without a service sees what it earned in a token", async () => {
  const token = await deployToken(world.buyer.ctx, 10n ** 21n);
  const openingFee = 3n * 10n ** 17n;
  const signed = await world.makeOffer(stage.adapterId, { token, pricePerToken: 10n ** 15n, openingFee });
  const { tab } = await reading(signed);
  await open(tab, "2 TST");
  const contributor = await stage.visit({ hash: "#/contributor" });
  await contributor.connect();
  await contributor.shows("No service is connected");
  await contributor.shows("0.3 TST");
  contributor.assertQuiet();
});

test("an offer that the contributor did not sign is refused before anything is asked", async () => {
  const signed = await world.makeOffer(stage.adapterId);
  const cheaper = { ...signed, offer: { ...signed.offer, pricePerToken: 1n } };
  const { tab, asked } = await reading(cheaper);
  await tab.shows("This offer cannot be taken");
  await tab.shows(/signature\/wrong-signer/);
  await tab.assertAccessible();
  assert.equal(asked.includes("eth_sendTransaction"), false);
  // A link opened while the page is shown is read as well.
  await tab.page.evaluate(() => {
    window.location.hash = "#/buyer?opening=AAAA";
  });
  await tab.shows("The link holds no opening");
  assert.doesNotMatch(tab.page.url(), /opening/);
  tab.assertQuiet();
});
