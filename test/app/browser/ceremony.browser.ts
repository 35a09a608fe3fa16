/** Taking part in a key ceremony from a page, in a real Chromium, against a real coordinator. */
import assert from "node:assert/strict";
import * as path from "node:path";
import { after, test } from "node:test";
import { chromium } from "playwright-core";
import { Coordinator } from "../../../runner/ceremony/coordinator/coordinator.ts";
import { buildPage, servePage } from "../../../runner/ceremony/coordinator/page.ts";
import { serveCoordinator } from "../../../runner/ceremony/coordinator/server.ts";
import { joinCeremony } from "../../../runner/ceremony/join.ts";
import { secretStep } from "../../../runner/ceremony/step.ts";
import { verifyCeremony } from "../../../runner/ceremony/verify.ts";
import { loadCurve } from "../../../runner/protocol/curve.ts";
import { findChromium } from "../../../scripts/chromium.ts";
import { begun, makePtau } from "../../ceremony/setting.ts";
import { temporaryDirectory } from "../../storage/temporary.ts";
import { ARGUMENTS, Tab } from "./tab.ts";

const curve = await loadCurve();
const ptau = await makePtau(5);
const page = await buildPage();
const browser = await chromium.launch({ executablePath: findChromium()!, args: ARGUMENTS });

after(async () => {
  await browser.close();
  await curve.terminate();
});

test("a person contributes from a page: every key is checked there, and the attestation holds", async (context) => {
  const folder = await begun(context, ptau, [14, 30]);
  const coordinator = await Coordinator.open(curve, folder, { acceptUnknownPtau: true });
  const server = await serveCoordinator(coordinator, {}, (app) => servePage(app, page));
  context.after(() => server.close());
  await joinCeremony(curve, {
    url: server.url,
    directory: path.join(temporaryDirectory(context), "own"),
    name: "Ada",
    step: secretStep("Ada", ""),
    acceptUnknownPtau: true,
  });

  const tab = await visit(server.url);
  await tab.shows("Contributions so far");
  await tab.assertAccessible();
  const { page: shown } = tab;
  await shown.getByLabel("Your name, for the record").fill("Grace <b>Hopper</b>");
  await shown.getByLabel(/Anything you like to type/).fill("nanoseconds");
  await shown.getByRole("button", { name: "Take part" }).click();
  await tab.shows(/none of the public ones/, 60_000);
  assert.equal(folder.round(), 1, "without vouching for the powers of tau nothing is contributed");

  await shown.getByLabel(/I vouch for those who made them/).check();
  await shown.getByRole("button", { name: "Take part" }).click();
  await tab.shows("Taken as contribution 2", 120_000);
  const attestation = await shown.locator("#attestation").innerText();
  await tab.assertAccessible();
  tab.assertQuiet();

  const report = await verifyCeremony(curve, folder, {
    acceptUnknownPtau: true,
    attestations: [attestation],
  });
  assert.equal(report.verdict, "passed");
  assert.deepEqual(
    report.keys.map(({ contributions }) => contributions.map(({ name }) => name)),
    [
      ["Ada", "Grace <b>Hopper</b>"],
      ["Ada", "Grace <b>Hopper</b>"],
    ],
  );
});

test("a page that is handed a wrong key says so and contributes nothing", async (context) => {
  const folder = await begun(context, ptau);
  const coordinator = await Coordinator.open(curve, folder, { acceptUnknownPtau: true });
  const other = await begun(context, await makePtau(4));
  const server = await serveCoordinator(coordinator, {}, (app) => servePage(app, page));
  context.after(() => server.close());
  // the powers of tau of another ceremony
  Object.defineProperty(folder, "ptauFile", { value: other.ptauFile });
  const tab = await visit(server.url);
  await tab.shows("Contributions so far");
  await tab.page.getByLabel("Your name, for the record").fill("Grace");
  await tab.page.getByLabel(/I vouch for those who made them/).check();
  await tab.page.getByRole("button", { name: "Take part" }).click();
  await tab.shows("the powers of tau are not those the ceremony is about", 60_000);
  tab.assertQuiet();
  assert.equal(folder.round(), 0);
  assert.equal(coordinator.queue.waiting, 0);
});

async function visit(url: string): Promise<Tab> {
  const context = await browser.newContext({ viewport: { width: 360, height: 800 } });
  const tab = new Tab(await context.newPage(), context, new Set([url]));
  await tab.page.goto(url);
  return tab;
}
