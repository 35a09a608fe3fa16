import assert from "node:assert/strict";
import { test } from "node:test";
import { Stage } from "./harness.ts";

const stage = await Stage.open();

const PAGES = ["#/adapters", "#/buyer", "#/contributor", "#/agreement", "#/nowhere"];

for (const dark of [false, true])
  for (const width of [1280, 360])
    test(`every page is accessible and quiet, ${width} px wide, ${dark ? "dark" : "light"}`, async () => {
      const tab = await stage.visit({ hash: PAGES[0]!, width, dark });
      for (const hash of PAGES) {
        await tab.page.evaluate((to) => {
          window.location.hash = to;
        }, hash);
        await tab.page.getByRole("heading", { level: 1 }).waitFor();
        await tab.page.waitForTimeout(300);
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
      eval: await stopped(() => new Function("return 1")()),
      inline: "inlineRan" in window ? "done" : "stopped",
      frame: window.top === window ? "alone" : "framed",
    };
  });
  assert.deepEqual(outcomes, { fetch: "stopped", eval: "stopped", inline: "stopped", frame: "alone" });
  assert.ok(tab.problems.some((text) => text.includes("Content Security Policy")));
  assert.throws(() => tab.assertQuiet());
});
