/**
 * Pictures of every page and state of the wallet UI: `npm run screenshots`, into screenshots/ (git-ignored), at two widths,
 * light and dark. Everything in them is real: the stage of `demo --app`, a real Chromium. `-- --docs` makes those of docs/images.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { AppStage, type StageFacts } from "../runner/demo/appStage.ts";
import { REST, type Shot, shots } from "./appShots.ts";
import { ensureChromium } from "./chromium.ts";

const FOLDER = fileURLToPath(new URL("../screenshots", import.meta.url));
const DOCS = fileURLToPath(new URL("../docs/images", import.meta.url));
const WIDTHS = [1280, 390] as const;
const SCHEMES = ["light", "dark"] as const;
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"];

async function open(browser: Browser, facts: StageFacts, shot: Shot, dark: boolean): Promise<BrowserContext> {
  const context = await browser.newContext({
    viewport: { width: WIDTHS[0], height: 800 },
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
    locale: "en-GB",
  });
  const page = await context.newPage();
  if (shot.wallet === null) await page.route("**/demo-wallet/*", (route) => route.abort());
  await page.addInitScript(
    ({ asks, rejects, ...options }) => {
      const decide = (method: string) => (rejects && method === "eth_sendTransaction" ? "reject" : "approve");
      Object.assign(window, { deltapayDemoWallet: asks ? options : { ...options, decide } });
    },
    {
      asks: shot.asks === true,
      rejects: shot.rejects === true,
      account: shot.wallet ?? 1,
      ...(shot.chainId === undefined ? {} : { chainId: `0x${shot.chainId.toString(16)}` }),
    },
  );
  await page.goto(`${facts.pageUrl}${shot.hash}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForTimeout(REST);
  await shot.act?.(page, facts);
  await page.waitForTimeout(REST);
  return context;
}

/** The page as it is, at both widths. */
async function picture(context: BrowserContext, { name, asks }: Shot, scheme: string): Promise<void> {
  const page = context.pages()[0]!;
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    await page.waitForTimeout(200);
    const file = path.join(FOLDER, `${name}-${width}-${scheme}.png`);
    // What a wallet asks lies above the window, not above the page.
    await page.screenshot({ path: file, fullPage: asks !== true });
    console.error(path.relative(process.cwd(), file));
  }
}

/** What the documentation shows: one screenful, small. */
async function docsPicture(context: BrowserContext, { name, docs }: Shot): Promise<void> {
  const page = context.pages()[0]!;
  await page.setViewportSize({ width: 960, height: 660 });
  // the title of the page stands below its head
  const scroll = (heading: Element) =>
    heading.tagName === "H1" ? window.scrollTo(0, 0) : heading.scrollIntoView();
  await page.getByRole("heading", { name: docs! }).first().evaluate(scroll);
  await page.waitForTimeout(200);
  const file = path.join(DOCS, `${name}.jpg`);
  await page.screenshot({ path: file, type: "jpeg", quality: 75 });
  console.error(path.relative(process.cwd(), file));
}

/** Only names that hold one of the words given; `--docs`: the documentation's pictures alone. */
const words = process.argv.slice(2);
const forDocs = words.includes("--docs");
const wanted = words.filter((word) => !word.startsWith("--"));

const executablePath = ensureChromium();
if (executablePath === undefined) {
  console.error("there is no Chromium and none could be installed: name one in CHROMIUM");
  process.exit(1);
}
fs.mkdirSync(forDocs ? DOCS : FOLDER, { recursive: true });
const stage = await AppStage.open({ onStep: (title) => console.error(title), onLine: () => {} });
const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
try {
  for (const shot of shots(stage.facts)) {
    if (wanted.length > 0 && !wanted.some((word) => shot.name.includes(word))) continue;
    if (forDocs && shot.docs === undefined) continue;
    for (const scheme of forDocs ? (["light"] as const) : SCHEMES) {
      const context = await open(browser, stage.facts, shot, scheme === "dark");
      if (forDocs) await docsPicture(context, shot);
      else await picture(context, shot, scheme);
      await context.close();
    }
  }
} finally {
  await browser.close();
  await stage.close();
}
