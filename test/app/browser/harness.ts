/** The page in a real Chromium, against a real Hardhat node and a real service. */
import { after } from "node:test";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import { type Agreement, readAgreement } from "../../../runner/chain/agreements.ts";
import { type Admin, startAdmin } from "../../../runner/contributor/admin/server.ts";
import type { OfferTerms } from "../../../runner/contributor/offers.ts";
import type { ContributorService } from "../../../runner/contributor/service.ts";
import { configOf } from "../../../runner/demo/appStage.ts";
import { speak } from "../../../runner/demo/speak.ts";
import { type Purchase, World } from "../../../runner/demo/world.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { loadCurve } from "../../../runner/protocol/curve.ts";
import type { ModulesPerProof } from "../../../runner/protocol/groups.ts";
import { ensureBuilt } from "../../../runner/web/build.ts";
import { type AppServer, startAppServer } from "../../../runner/web/server.ts";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import { findChromium } from "../../../scripts/chromium.ts";
import { ARGUMENTS, Tab } from "./tab.ts";

/** The test accounts by who they are. */
export const CONTRIBUTOR = 1;
export const BUYER = 2;
export const STRANGER = 3;

/** What the wallet does with a request that asks its owner. */
export type Decide = (method: string) => "approve" | "reject" | Promise<"approve" | "reject">;

export interface Visit {
  /** After `#`; default the contributor's page with the token of its service. */
  hash?: string;
  /** Account chosen in the wallet; null: no wallet at all. Default the contributor's. */
  wallet?: number | null;
  /** Default: everything is approved. */
  decide?: Decide;
  /** Chain the wallet is on at first, when that is not the page's. */
  walletChain?: number;
  width?: number;
  height?: number;
  dark?: boolean;
  /** Another tab of the same browser profile. */
  beside?: Tab;
}

/** A heading that names an id. */
function named(page: Page, id: Hex): Locator {
  return page.getByRole("heading").getByText(new RegExp(id.slice(0, 8)));
}

/** An ended session with its proofs made. */
export interface Proven {
  agreementId: Hex;
  purchase: Purchase;
  bundle: ProofBundle;
}

export class Stage {
  readonly world: World;
  readonly adapterId: Hex;
  readonly service: ContributorService;
  readonly admin: Admin;
  readonly server: AppServer;
  readonly #browser: Browser;
  readonly #bare: AppServer;

  private constructor(
    world: World,
    adapterId: Hex,
    service: ContributorService,
    admin: Admin,
    servers: { withWallet: AppServer; bare: AppServer },
    browser: Browser,
  ) {
    this.world = world;
    this.adapterId = adapterId;
    this.service = service;
    this.admin = admin;
    this.server = servers.withWallet;
    this.#bare = servers.bare;
    this.#browser = browser;
  }

  /**
   * Sets a stage that ends with the test file: chain, registered adapter, service, page, browser.
   * @param options.offer whether the contributor has made an offer already
   */
  static async open(options: { modulesPerProof?: ModulesPerProof; offer?: boolean } = {}): Promise<Stage> {
    const { modulesPerProof = 1, offer = true } = options;
    const executablePath = findChromium();
    if (executablePath === undefined) throw new Error("no Chromium: npm run test:app installs one");
    const directory = await ensureBuilt();
    const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
    after(() => browser.close());
    const withWallet = await startAppServer({ directory, demoWallet: true });
    const bare = await startAppServer({ directory });
    after(() => Promise.all([withWallet.close(), bare.close()]));
    const world = await World.open();
    after(async () => {
      await world.close();
      await (await loadCurve()).terminate();
    });
    const { adapterId } = await world.register("kjv-attn", modulesPerProof);
    if (offer) await world.makeOffer(adapterId, { maxOpens: 100n });
    const service = await world.serve({ adapters: [adapterId] });
    const admin = await startAdmin({
      data: world.data,
      service,
      domain: world.domain,
      registry: world.buyer.ctx.deployment.registry,
      contributor: world.contributor.account.address,
      settles: false,
      port: 0,
      origins: [withWallet.url, bare.url],
    });
    world.onClose(() => admin.close());
    const config = configOf(world.buyer.ctx, { admin: { url: admin.url, tokenFile: admin.tokenFile } });
    withWallet.configure(config);
    bare.configure(config);
    return new Stage(world, adapterId, service, admin, { withWallet, bare }, browser);
  }

  get rpcUrl(): string {
    return this.world.node.rpcUrl;
  }

  /** Opens the page. */
  async visit(visit: Visit = {}): Promise<Tab> {
    const { wallet = CONTRIBUTOR, width = 1280, height = 900, dark = false } = visit;
    const server = wallet === null ? this.#bare : this.server;
    const context =
      visit.beside?.context ??
      (await this.#browser.newContext({
        viewport: { width, height },
        colorScheme: dark ? "dark" : "light",
        reducedMotion: "reduce",
        locale: "en-GB",
        timezoneId: "UTC",
      }));
    if (visit.beside === undefined) after(() => context.close());
    const page = await context.newPage();
    const origins = [server.url, this.rpcUrl, this.admin.url];
    const tab = new Tab(page, context, new Set(origins.map((url) => new URL(url).origin)));
    await page.exposeFunction("walletDecides", visit.decide ?? (() => "approve"));
    await page.addInitScript(
      (options) => {
        Object.assign(window, {
          deltapayDemoWallet: {
            ...options,
            decide: (method: string) =>
              (window as unknown as { walletDecides: (method: string) => unknown }).walletDecides(method),
          },
        });
      },
      {
        account: wallet ?? 0,
        ...(visit.walletChain === undefined ? {} : { chainId: `0x${visit.walletChain.toString(16)}` }),
      },
    );
    await page.goto(`${server.url}/${visit.hash ?? `#/contributor?token=${this.admin.token}`}`);
    return tab;
  }

  /** An agreement used for some tokens, with a receipt for them; not ended. */
  async sell(tokens = 3, terms: Partial<OfferTerms> = {}): Promise<Purchase> {
    if (Object.keys(terms).length > 0)
      await this.world.makeOffer(this.adapterId, { maxOpens: 100n, ...terms });
    const purchase = await this.world.buy(this.service.url);
    await speak(purchase.remote, "In the beginning", tokens);
    await purchase.remote.signReceipt();
    return purchase;
  }

  /** Sells, ends and proves: what is left is to submit. */
  async prove(tokens = 3): Promise<Proven> {
    const purchase = await this.sell(tokens);
    await purchase.remote.end();
    const bundle = await this.service.settlement.proveAgreement(purchase.agreementId);
    return { agreementId: purchase.agreementId, purchase, bundle };
  }

  /** The part of the contributor's page about one session. */
  session({ page }: Tab, agreementId: Hex): Locator {
    return page.locator("section.panel section.panel").filter({ has: named(page, agreementId) });
  }

  /** The part of the buyer's page about one agreement. */
  purchase({ page }: Tab, agreementId: Hex): Locator {
    return page
      .locator("section.panel")
      .filter({ has: named(page, agreementId) })
      .last();
  }

  /** An agreement as the escrow holds it. */
  agreement(agreementId: Hex): Promise<Agreement> {
    return readAgreement(this.world.buyer.ctx, agreementId);
  }

  /** A call of the node. */
  rpc(method: string, params: unknown[] = []): Promise<unknown> {
    return (this.world.buyer.ctx.publicClient.request as (call: object) => Promise<unknown>)({
      method,
      params,
    });
  }
}
