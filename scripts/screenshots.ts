/**
 * Pictures of every page and state of the wallet UI: `npm run screenshots`, into screenshots/ (git-ignored), at two widths,
 * light and dark. Everything in them is real: the stage of `demo --app`, a real Chromium.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { AppStage, type StageFacts } from "../runner/demo/appStage.ts";
import { ensureChromium } from "./chromium.ts";

const FOLDER = fileURLToPath(new URL("../screenshots", import.meta.url));
const WIDTHS = [1280, 390] as const;
const SCHEMES = ["light", "dark"] as const;
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"];
/** Milliseconds for a page to come to rest. */
const REST = 700;

interface Shot {
  name: string;
  hash: string;
  /** Account of the wallet: 1 contributor, 2 buyer; null: none. */
  wallet?: number | null;
  /** Chain the wallet is on. */
  chainId?: number;
  /** What to do before the picture. */
  act?: (page: Page, facts: StageFacts) => Promise<void>;
}

const connect = async (page: Page): Promise<void> => {
  await page.getByRole("button", { name: /^Connect / }).click();
  await page.getByRole("button", { name: "Disconnect" }).waitFor();
};

/** States that change nothing on chain. */
function shots({ contributorUrl, rpcUrl, agreements }: StageFacts): Shot[] {
  const contributor = new URL(contributorUrl).hash;
  const certificate = (id: string): string => `#/agreement/${id}`;
  return [
    { name: "adapters", hash: "#/adapters", wallet: null },
    {
      name: "chain-down",
      hash: "#/adapters",
      act: async (page) => {
        await page.route(`${rpcUrl}/**`, (route) => route.abort());
        await page.reload();
        await page.waitForTimeout(6000);
      },
    },
    { name: "buyer", hash: "#/buyer", wallet: 2, act: connect },
    { name: "buyer-no-wallet", hash: "#/buyer", wallet: null },
    { name: "contributor-not-connected", hash: contributor },
    { name: "contributor", hash: contributor, act: connect },
    { name: "wrong-chain", hash: contributor, chainId: 1, act: connect },
    { name: "certificate-settled", hash: certificate(agreements.settled), wallet: null },
    { name: "certificate-open", hash: certificate(agreements.open), wallet: null },
    { name: "certificate-expired", hash: certificate(agreements.expired), wallet: null },
    { name: "certificate-unknown", hash: certificate(`0x${"12".repeat(32)}`), wallet: null },
    { name: "certificate-none", hash: "#/agreement", wallet: null },
  ];
}

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
    (options) => Object.assign(window, { deltapayDemoWallet: { ...options, decide: () => "approve" } }),
    {
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
async function picture(context: BrowserContext, name: string, scheme: string): Promise<void> {
  const page = context.pages()[0]!;
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    await page.waitForTimeout(200);
    const file = path.join(FOLDER, `${name}-${width}-${scheme}.png`);
    await page.screenshot({ path: file, fullPage: true });
    console.error(path.relative(process.cwd(), file));
  }
}

/** Only names that hold one of the words given. */
const wanted = process.argv.slice(2);

const executablePath = ensureChromium();
if (executablePath === undefined) {
  console.error("there is no Chromium and none could be installed: name one in CHROMIUM");
  process.exit(1);
}
fs.mkdirSync(FOLDER, { recursive: true });
const stage = await AppStage.open({ onStep: (title) => console.error(title), onLine: () => {} });
const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
try {
  for (const shot of shots(stage.facts)) {
    if (wanted.length > 0 && !wanted.some((word) => shot.name.includes(word))) continue;
    for (const scheme of SCHEMES) {
      const context = await open(browser, stage.facts, shot, scheme === "dark");
      await picture(context, shot.name, scheme);
      await context.close();
    }
  }
} finally {
  await browser.close();
  await stage.close();
}
