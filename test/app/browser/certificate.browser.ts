/** The auditor's page and proving in the page: on a chain that tells the truth, on one that lies, and on none. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Page, Route } from "playwright-core";
import { readSettlements } from "../../../runner/chain/history.ts";
import { settle } from "../../../runner/chain/settle.ts";
import { loadServedAdapter } from "../../../runner/contributor/adapters.ts";
import { exportSession } from "../../../runner/contributor/exportSession.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { encodeManifest } from "../../../runner/protocol/manifest.ts";
import { sealSession } from "../../../runner/wire/sessionFile.ts";
import { Stage } from "./harness.ts";
import type { Tab } from "./tab.ts";

const stage = await Stage.open();
const { world } = stage;
const settled = await stage.prove(3);
await settle(world.contributor.ctx, settled.bundle);
const certificateOf = (agreementId: Hex): string => `#/agreement/${agreementId}`;
const manifest = (): Buffer =>
  Buffer.from(encodeManifest(loadServedAdapter(world.data, stage.adapterId).manifest));
const MODULE = "transformer.h.0.attn.c_attn";

/** Answers of the node to one method, changed on their way to the page. */
async function lying(page: Page, method: string, change: (answer: string) => string): Promise<void> {
  await page.route(`${stage.rpcUrl}/**`, async (route: Route) => {
    const asked = route.request().postData() ?? "";
    const answer = await route.fetch();
    const text = await answer.text();
    await route.fulfill({ response: answer, body: asked.includes(method) ? change(text) : text });
  });
}

/** The certificate of an agreement as somebody without wallet or service sees it. */
async function audit(agreementId: Hex, before?: (page: Page) => Promise<void>): Promise<Tab> {
  const tab = await stage.visit({ wallet: null, hash: "#/agreement" });
  await before?.(tab.page);
  await tab.page.getByLabel("Agreement id").fill(agreementId);
  await tab.page.keyboard.press("Enter");
  return tab;
}

test("the contributor sees its settled agreement: every proof, its module, gas and time", async () => {
  const tab = await stage.visit();
  await tab.page.getByRole("heading", { level: 1 }).waitFor();
  await tab.page.evaluate((hash) => {
    window.location.hash = hash;
  }, certificateOf(settled.agreementId));
  await tab.shows(/tokens proven: every proof on chain holds/);
  await tab.shows(MODULE);
  await tab.shows("Time to prove");
  const proofs = tab.page.getByRole("region", { name: "Proofs by group" });
  assert.equal(await proofs.getByText("proof holds").count(), settled.bundle.V.length);
  await tab.shows("8 of 8 passed");
  const warning = tab.page.locator(".notice.warn", { hasText: /every proof on chain holds/ });
  assert.match(await warning.innerText(), /dev key.*proves nothing/, "nothing made under a dev key is green");
  await tab.assertAccessible();

  const downloading = tab.page.waitForEvent("download");
  await tab.page.getByRole("button", { name: "Download as JSON" }).click();
  const certificate = JSON.parse(readFileSync(await (await downloading).path(), "utf8")) as {
    verdict: string;
    facts: { receipts: { submissions: { call: { claims: { a: string[] }[] } }[] }[] };
  };
  assert.equal(certificate.verdict, "proven");
  assert.equal(
    certificate.facts.receipts[0]!.submissions[0]!.call.claims[0]!.a[0],
    String(settled.bundle.claims[0]!.a[0]),
  );
  tab.assertQuiet();
});

test("an auditor needs no wallet and no service; names come from the manifest's file, and from no other", async () => {
  const tab = await audit(settled.agreementId);
  await tab.shows(/every proof on chain holds/);
  await tab.shows("group 0");
  const file = tab.page.getByLabel("Manifest file");
  await file.setInputFiles({ name: "m.json", mimeType: "application/json", buffer: Buffer.from("{}") });
  await tab.shows(/This is not the manifest/);
  await file.setInputFiles({ name: "m.json", mimeType: "application/json", buffer: manifest() });
  await tab.shows(MODULE);
  await tab.assertAccessible();
  tab.assertQuiet();
});

test("a proof that was changed on its way from the node is named", async () => {
  const [a] = settled.bundle.claims[0]!.a;
  const word = (value: bigint): string => value.toString(16).padStart(64, "0");
  const tab = await audit(settled.agreementId, (page) =>
    lying(page, "eth_getTransactionByHash", (text) => text.replace(word(a), word(a + 1n))),
  );
  await tab.shows(/Do not rely on this agreement: 1 of the proofs that were sent do not hold: group 0/);
  await tab.shows("proof fails");
  await tab.page.unrouteAll({ behavior: "wait" });
  tab.assertQuiet();
});

test("a verifier that is not the release's is said loudly", async () => {
  const { adapterId } = stage;
  const { verifier } = loadServedAdapter(world.data, adapterId).record;
  const other = `0x${"5e".repeat(20)}`;
  const padded = (address: string): string => address.slice(2).toLowerCase().padStart(64, "0");
  const tab = await audit(settled.agreementId, (page) =>
    lying(page, "eth_getLogs", (text) => text.replaceAll(padded(verifier), padded(other))),
  );
  await tab.shows("This adapter's verifier is not of this release");
  await tab.shows(/was not protected by any proof/);
  await tab.assertAccessible();
  await tab.page.unrouteAll({ behavior: "wait" });
  tab.assertQuiet();
});

test("a node that is down is named, and the page goes on when it is back", async () => {
  const tab = await stage.visit({ wallet: null, hash: "#/agreement" });
  tab.expected.push(/ERR_FAILED|ERR_CONNECTION/);
  await tab.page.route(`${stage.rpcUrl}/**`, (route) => route.abort());
  await tab.page.getByLabel("Agreement id").fill(settled.agreementId);
  await tab.page.keyboard.press("Enter");
  await tab.shows("The agreement could not be read");
  await tab.page.unroute(`${stage.rpcUrl}/**`);
  const failure = tab.page.getByRole("alert").filter({ hasText: "The agreement could not be read" });
  await failure.getByRole("button", { name: "Try again" }).click();
  await tab.shows(/every proof on chain holds/);
  tab.assertQuiet();
});

test("where there is a block explorer, transactions and blocks link to it", async () => {
  const tab = await stage.visit({ wallet: null, hash: "#/agreement" });
  await tab.page.route("**/config.json", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ json: { ...(await answer.json()), explorerUrl: "https://explorer.example/base" } });
  });
  await tab.page.reload();
  await tab.page.getByLabel("Agreement id").fill(settled.agreementId);
  await tab.page.keyboard.press("Enter");
  await tab.shows(/every proof on chain holds/);
  const links = await tab.page
    .locator("main a[href^='https:']")
    .evaluateAll((found) => found.map((link) => [link.getAttribute("href"), link.getAttribute("rel")]));
  const [settlement] = await readSettlements(world.contributor.ctx, settled.agreementId);
  const { txHash, blockNumber } = settlement!;
  for (const href of [`tx/${txHash}`, `block/${blockNumber}`])
    assert.ok(
      links.some(([found]) => found === `https://explorer.example/base/${href}`),
      href,
    );
  for (const [, rel] of links) assert.equal(rel, "noreferrer");
  tab.assertQuiet();
});

test("what is no id, and an id nobody opened, are said to be so", async () => {
  const tab = await audit("0x12");
  await tab.shows(/0x and 64 hexadecimal digits\. Its parties/);
  await tab.page.getByLabel("Agreement id").fill(`0x${"12".repeat(32)}`);
  await tab.page.getByRole("button", { name: "Show its certificate" }).click();
  await tab.shows("There is no such agreement on this chain");
  tab.assertQuiet();
});

test("an agreement whose proofs are half sent is open, and nothing is paid", async () => {
  const { agreementId, bundle } = await stage.prove(2);
  await settle(world.contributor.ctx, { ...bundle, claims: bundle.claims.slice(0, 1) });
  const tab = await audit(agreementId);
  await tab.shows(/nothing is paid until all are/);
  const proofs = tab.page.getByRole("region", { name: "Proofs by group" });
  assert.equal(await proofs.getByText("not sent yet").count(), bundle.V.length - 1);
  await tab.page.setViewportSize({ width: 390, height: 800 });
  await tab.assertAccessible();
  tab.assertQuiet();
});

test("a session is proven in the page from its file, and its proofs are checked like any others", async () => {
  const { remote, agreementId } = await stage.sell(2);
  await remote.end();
  const session = exportSession(
    world.data,
    world.domain,
    loadServedAdapter(world.data, stage.adapterId),
    agreementId,
  );
  const passphrase = "correct horse battery";
  const text = await sealSession(session, passphrase);
  const tab = await stage.visit({ wallet: null, hash: "#/contributor" });
  const { page } = tab;
  await page.getByText("Prove here from a session file").click();
  await page
    .getByLabel("Session file (secret)")
    .setInputFiles({ name: "session.json", mimeType: "application/json", buffer: Buffer.from(text) });
  const prove = page.getByRole("button", { name: "Prove in this browser" });
  await page.getByLabel("Its passphrase").fill(`${passphrase}?`);
  await prove.click();
  await tab.shows("The file cannot be unlocked with this passphrase.");
  await tab.assertAccessible();

  // A key that somebody exchanged on the server.
  await page.route("**/keys/**", async (route) => {
    const answer = await route.fetch();
    const body = Buffer.from(await answer.body());
    body[body.length - 1]! ^= 1;
    await route.fulfill({ response: answer, body });
  });
  await page.getByLabel("Its passphrase").fill(passphrase);
  await prove.click();
  await tab.shows(/is not the release's: its SHA-256 is/);
  await page.unroute("**/keys/**");

  await prove.click();
  await page
    .getByText("proof holds")
    .nth(session.V.length - 1)
    .waitFor({ timeout: 60_000 });
  const left = await page.evaluate(
    () => document.documentElement.outerHTML + JSON.stringify(window.localStorage),
  );
  assert.ok(
    left.includes(session.V[0]![0].toString()),
    "the bundle is kept, so the search sees what is kept",
  );
  for (const { yhat, h, s, blind } of session.witnesses)
    for (const scalar of [yhat, ...h, ...s, blind])
      assert.ok(scalar < 10n ** 12n || !left.includes(scalar.toString()));
  tab.assertQuiet();
});
