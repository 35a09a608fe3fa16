import assert from "node:assert/strict";
import { test } from "node:test";
import { BUYER, Stage } from "./harness.ts";

const stage = await Stage.open();

const settled = await stage.prove();
await stage.service.settlement.settleAgreement(settled.agreementId);
const proven = await stage.prove();
const open = await stage.sell();

/** Every page with everything there can be on it, and what shows that it is there. */
const PAGES: readonly (readonly [hash: string, shows: RegExp])[] = [
  ["#/adapters", /dev key/],
  ["#/buyer", new RegExp(open.agreementId.slice(0, 8))],
  ["#/contributor", /verified here/],
  [`#/agreement/${settled.agreementId}`, /every proof on chain holds/],
  [`#/agreement/${open.agreementId}`, new RegExp(open.agreementId.slice(0, 8))],
  [`#/agreement/0x${"12".repeat(32)}`, /no such agreement/i],
  ["#/agreement", /agreement/i],
  ["#/nowhere", /no such page/i],
];

// Colours do not depend on the width, nor what has a name and a place on the colours.
for (const [width, dark] of [
  [1280, false],
  [360, true],
] as const)
  test(`every page is accessible and quiet, ${width} px wide, ${dark ? "dark" : "light"}`, async () => {
    const tab = await stage.visit({ wallet: BUYER, width, dark });
    await tab.connect();
    await stage.session(tab, proven.agreementId).getByRole("button", { name: "Load its proofs" }).click();
    for (const [hash, shows] of PAGES) {
      await tab.page.evaluate((to) => {
        window.location.hash = to;
      }, hash);
      await tab.shows(shows);
      await tab.assertAccessible();
    }
    tab.assertQuiet();
  });

test("without a wallet the page says so and still shows what is on chain", async () => {
  const tab = await stage.visit({ wallet: null, hash: "#/adapters" });
  await tab.shows(/no wallet/i);
  tab.assertQuiet();
});

test("what a page must not do is stopped by its policy, and noticed here", async () => {
  const tab = await stage.visit({ hash: "#/adapters" });
  await tab.page.getByRole("heading", { level: 1 }).waitFor();
  tab.assertQuiet();
  const outcomes = await tab.page.evaluate(async () => {
    const stopped = async (work: () => unknown): Promise<string> => {
      try {
        await work();
        return "done";
      } catch {
        return "stopped";
      }
    };
    const inline = document.createElement("script");
    inline.textContent = "window.inlineRan = true";
    document.head.append(inline);
    return {
      fetch: await stopped(() => fetch("http://127.0.0.1:9/steal")),
      // later: what the debugger itself evaluates may do so
      eval: await new Promise((resolve) => {
        setTimeout(() => resolve(stopped(() => new Function("return 1")())));
      }),
      inline: "inlineRan" in window ? "done" : "stopped",
      frame: window.top === window ? "alone" : "framed",
    };
  });
  assert.deepEqual(outcomes, { fetch: "stopped", eval: "stopped", inline: "stopped", frame: "alone" });
  assert.ok(tab.problems.some((text) => text.includes("Content Security Policy")));
  assert.throws(() => tab.assertQuiet());
});
