/** Pages and states of the wallet UI worth a picture, on the stage of `demo --app`. */
import type { Page } from "playwright-core";
import type { StageFacts } from "../runner/demo/appStage.ts";
import { ADMIN_PATHS, type AppConfig, takeToken } from "../runner/wire/admin.ts";
import { fillPath } from "../runner/wire/paths.ts";

/** Milliseconds for a page to come to rest. */
export const REST = 900;

export interface Shot {
  name: string;
  hash: string;
  /** Account of the wallet: 1 contributor, 2 buyer; null: none. */
  wallet?: number | null;
  /** Chain the wallet is on. */
  chainId?: number;
  /** The wallet's own questions are left for the picture. */
  asks?: boolean;
  /** The wallet's owner refuses to send. */
  rejects?: boolean;
  /** For the documentation: what must be in view there. */
  docs?: RegExp;
  /** What to do before the picture. */
  act?: (page: Page, facts: StageFacts) => Promise<void>;
}

const connect = async (page: Page): Promise<void> => {
  await page.getByRole("button", { name: /^Connect / }).click();
  await page.getByRole("button", { name: "Disconnect" }).waitFor();
};

/** Waits for a text a person can see. */
const shows = (page: Page, text: string | RegExp): Promise<void> =>
  page.getByText(text).filter({ visible: true }).first().waitFor();

/** What the contributor's service answers its owner. */
async function admin<Answer>({ pageUrl, contributorUrl }: StageFacts, path: string): Promise<Answer> {
  const config = (await (await fetch(new URL("config.json", pageUrl))).json()) as AppConfig;
  const token = takeToken(new URL(contributorUrl).hash).token;
  const answer = await fetch(config.services[0]!.adminUrl + path, {
    headers: { authorization: `Bearer ${token}` },
  });
  return (await answer.json()) as Answer;
}

/** Loads the proofs that wait to be submitted. */
async function load(page: Page, { agreements }: StageFacts): Promise<void> {
  await connect(page);
  const short = new RegExp(agreements.proven.slice(0, 8));
  const session = page
    .locator("section.panel section.panel")
    .filter({ has: page.getByRole("heading").getByText(short) });
  await session.getByRole("button", { name: "Load its proofs" }).click();
  await shows(page, /verified here|Settled/);
}

/** Drops a bundle whose first two proofs are exchanged. */
async function tamper(page: Page, facts: StageFacts): Promise<void> {
  await connect(page);
  const path = fillPath(ADMIN_PATHS.bundle, { agreementId: facts.agreements.proven });
  const bundle = await admin<{ claims: { group: number }[] }>(facts, path);
  const [first, second] = [bundle.claims[0]!, bundle.claims[1]!];
  bundle.claims.splice(0, 2, { ...second, group: 0 }, { ...first, group: 1 });
  await page.getByLabel(/Proof bundle/).setInputFiles({
    name: "bundle.json",
    mimeType: "application/json",
    buffer: Buffer.from(JSON.stringify(bundle)),
  });
  await shows(page, /escrow would refuse it/);
}

/** Reads an offer into the buyer's page. */
async function readOffer(page: Page, facts: StageFacts): Promise<void> {
  await connect(page);
  const { adapters } = await admin<{ adapters: { offers: { offer: object; signature: string }[] }[] }>(
    facts,
    ADMIN_PATHS.adapters,
  );
  const { offer, signature } = adapters[0]!.offers[0]!;
  await page.getByLabel(/^Signed offer/).fill(JSON.stringify({ offer, signature }));
  await page.getByRole("button", { name: "Read it" }).click();
  await page.getByLabel("Pay in, besides the opening fee").fill("0.002 eth");
}

/** Presses a button that may be gone because an earlier picture has done it. */
async function press(page: Page, name: string, shown: RegExp): Promise<void> {
  await page.waitForTimeout(REST);
  const button = page.getByRole("button", { name, exact: true }).first();
  if (await button.isVisible()) await button.click();
  await shows(page, shown);
}

/** Those that change the chain come last. */
export function shots({ contributorUrl, rpcUrl, agreements }: StageFacts): Shot[] {
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
        await shows(page, /No answer from the chain/);
      },
    },
    { name: "buyer", hash: "#/buyer", wallet: 2, act: connect },
    { name: "buyer-no-wallet", hash: "#/buyer", wallet: null },
    { name: "buyer-offer", hash: "#/buyer", wallet: 2, docs: /^Buyer$/, act: readOffer },
    {
      name: "buyer-opening",
      hash: "#/buyer",
      wallet: 2,
      act: async (page, facts) => {
        await readOffer(page, facts);
        await page.getByLabel("Receipts are signed by").fill(facts.accounts[2]!.address);
        await page.getByRole("button", { name: "Go on" }).click();
      },
    },
    { name: "contributor-not-connected", hash: contributor },
    { name: "contributor", hash: contributor, docs: /^Contributor$/, act: connect },
    { name: "contributor-without-service", hash: "#/contributor", act: connect },
    {
      name: "contributor-offer",
      hash: contributor,
      act: async (page) => {
        await connect(page);
        await page.getByText("Make an offer").first().click();
      },
    },
    { name: "contributor-tampered", hash: contributor, act: tamper },
    { name: "contributor-verified", hash: contributor, docs: /^Submit proofs$/, act: load },
    {
      name: "contributor-rejected",
      hash: contributor,
      rejects: true,
      act: async (page, facts) => {
        await load(page, facts);
        await page.getByRole("button", { name: "Submit proofs" }).click();
        await shows(page, /you rejected the request/i);
      },
    },
    {
      name: "demo-wallet",
      hash: contributor,
      asks: true,
      act: (page) => page.getByRole("button", { name: /^Connect / }).click(),
    },
    { name: "wrong-chain", hash: contributor, chainId: 1, act: connect },
    {
      name: "certificate-settled",
      hash: certificate(agreements.settled),
      wallet: null,
      docs: /^Certificate$/,
    },
    { name: "certificate-open", hash: certificate(agreements.open), wallet: null },
    { name: "certificate-expired", hash: certificate(agreements.expired), wallet: null },
    { name: "certificate-unknown", hash: certificate(`0x${"12".repeat(32)}`), wallet: null },
    { name: "certificate-none", hash: "#/agreement", wallet: null },
    {
      name: "contributor-settled",
      hash: contributor,
      act: async (page, facts) => {
        await load(page, facts);
        await press(page, "Submit proofs", /groups are proven on chain/);
      },
    },
    {
      name: "buyer-refunded",
      hash: "#/buyer",
      wallet: 2,
      act: async (page) => {
        await connect(page);
        await press(page, "Refund", /^refunded$/);
      },
    },
    { name: "certificate-refunded", hash: certificate(agreements.expired), wallet: null },
  ];
}
