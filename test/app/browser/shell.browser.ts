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
