/**
 * What `demo --app` leaves running for a person to click through: a chain, a contributor's service, the page, and one
 * agreement in each state that matters. Every step is a command of the product in a process of its own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testAccount } from "../chain/accounts.ts";
import { readAgreement } from "../chain/agreements.ts";
import { type ChainContext, connect } from "../chain/connect.ts";
import { chainTime } from "../chain/finality.ts";
import { type LocalNode, startLocalNode } from "../chain/localNode.ts";
import type { Hex } from "../protocol/bytes.ts";
import type { Address } from "../protocol/typedData.ts";
import { ensureBuilt } from "../web/build.ts";
import { type AppServer, startAppServer } from "../web/server.ts";
import { ADMIN_PATHS, type AppConfig, DEFAULT_APP_PORT } from "../wire/admin.ts";
import { stringifyMessage } from "../wire/messages.ts";
import { fillPath } from "../wire/paths.ts";
import { type OnLine, type RunningCommand, runCommand, startCommand } from "./commands.ts";
import { FIXTURES } from "./fixtures.ts";
import { reference } from "./mainJob.ts";
import type { OpenResult } from "./results.ts";

const CONTRIBUTOR = 1;
const BUYER = 2;
const TERMS = ["--price", "1000gwei", "--max-unpaid", "512", "--cap", "8192"];
/** As short as the service can settle in; one agreement is to expire. */
const SHORT_TERMS = ["--min-duration", "30s", "--close-window", "30s"];
/** Seconds; more than the least, for the block that opens it is later than the one the deadline is counted from. */
const SHORT_DEADLINE = 45;

export interface StageOptions {
  onStep: (title: string) => void;
  onLine: OnLine;
  /** Of the page; default DEFAULT_APP_PORT, or any when that is taken. */
  port?: number;
}

/** What a person needs to click through it. */
export interface StageFacts {
  pageUrl: string;
  /** The page as the contributor opens it: with the token of its service. */
  contributorUrl: string;
  rpcUrl: string;
  serviceUrl: string;
  folder: string;
  accounts: { name: string; index: number; address: Address }[];
  agreements: { settled: Hex; proven: Hex; open: Hex; expired: Hex };
}

interface ServeResult {
  url: string;
  admin: { url: string; tokenFile: string };
}

export class AppStage {
  readonly facts: StageFacts;
  /** Resolves when the chain ends by itself. */
  readonly chainEnded: Promise<void>;
  readonly #closers: (() => Promise<void> | void)[];

  private constructor(facts: StageFacts, chainEnded: Promise<void>, closers: (() => Promise<void> | void)[]) {
    this.facts = facts;
    this.chainEnded = chainEnded;
    this.#closers = closers;
  }

  /** Sets it all up. @throws DeltapayError whatever a step fails with; nothing is left running then */
  static async open(options: StageOptions): Promise<AppStage> {
    const closers: (() => Promise<void> | void)[] = [];
    try {
      const { facts, chainEnded } = await new Setup(options, closers).run();
      return new AppStage(facts, chainEnded, closers);
    } catch (error) {
      for (const close of closers.reverse()) await close();
      throw error;
    }
  }

  /** Ends page, service and chain, and forgets the data. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

class Setup {
  readonly #options: StageOptions;
  readonly #closers: (() => Promise<void> | void)[];
  readonly #folder: string;
  #chainFlags: string[] = [];
  #buyers = 0;

  constructor(options: StageOptions, closers: (() => Promise<void> | void)[]) {
    this.#options = options;
    this.#closers = closers;
    this.#folder = mkdtempSync(join(tmpdir(), "deltapay-app-"));
    const forget = (): void => rmSync(this.#folder, { recursive: true, force: true });
    process.once("exit", forget);
    closers.push(forget);
  }

  async run(): Promise<{ facts: StageFacts; chainEnded: Promise<void> }> {
    const { onStep } = this.#options;
    const page = await this.#servePage();
    onStep("starting a local chain (Hardhat)");
    const node = await startLocalNode();
    this.#closers.push(() => node.stop());
    const deploymentFile = join(this.#folder, "deployment.json");
    this.#chainFlags = ["--rpc", node.rpcUrl, "--deployment", deploymentFile];
    await this.#step("deploying the contracts", ["deploy"]);
    const ctx = await connect({ rpcUrl: node.rpcUrl, deploymentFile });
    const service = await this.#contribute(page);
    const token = (await readFile(service.result.admin.tokenFile, "utf8")).trim();
    page.configure(configOf(ctx, service.result));
    const agreements = await this.#agree(service.result, token, ctx);
    return { facts: this.#facts(page, node, service.result, token, agreements), chainEnded: node.ended };
  }

  async #servePage(): Promise<AppServer> {
    const { onStep, port } = this.#options;
    const directory = await ensureBuilt(() => onStep("building the page"));
    const page = await startAppServer({ directory, demoWallet: true, port: port ?? DEFAULT_APP_PORT }).catch(
      (error: { code?: string }) => {
        if (port !== undefined || error.code !== "app/port-in-use") throw error;
        return startAppServer({ directory, demoWallet: true });
      },
    );
    this.#closers.push(() => page.close());
    return page;
  }

  #party(account: number, folder: string): string[] {
    return ["--account", String(account), "--data", join(this.#folder, folder)];
  }

  #step<Result>(title: string, args: readonly string[]): Promise<Result> {
    this.#options.onStep(title);
    return runCommand<Result>([...args, ...this.#chainFlags], this.#options.onLine);
  }

  /** Registers, makes two offers, serves: proofs are made when asked, and the page submits them. */
  async #contribute(page: AppServer): Promise<RunningCommand<ServeResult>> {
    const contributor = this.#party(CONTRIBUTOR, "contributor");
    await this.#step("contributor: committing to the adapter and registering it", [
      ...["adapter", "register", FIXTURES.adapters["kjv-attn"], "--model", FIXTURES.model, ...contributor],
    ]);
    await this.#step("contributor: signing offers", [
      ...["offer", "make", ...TERMS, "--max-opens", "20", ...contributor],
    ]);
    this.#options.onStep("contributor: serving");
    const origins = [page.url, page.url.replace("127.0.0.1", "localhost")];
    const service = await startCommand<ServeResult>(
      [
        ...["serve", "--no-settle", "--port", "0", "--admin", "0"],
        ...origins.flatMap((origin) => ["--admin-origin", origin]),
        ...contributor,
        ...this.#chainFlags,
      ],
      (line) => {
        if (line.includes('"type":"failed"')) this.#options.onLine(`contributor: ${line}`);
      },
    );
    this.#closers.push(() => service.stop());
    return service;
  }

  /** One agreement in each state. The one that is to expire first: its time runs meanwhile. */
  async #agree(service: ServeResult, token: string, ctx: ChainContext): Promise<StageFacts["agreements"]> {
    const contributor = this.#party(CONTRIBUTOR, "contributor");
    const short = await this.#step<{ offerHash: Hex }>("contributor: an offer of short agreements", [
      ...["offer", "make", ...TERMS, ...SHORT_TERMS, ...contributor],
    ]);
    const taken = await this.#takeOffer(service.url, "buyer: an agreement that will expire", [
      ...["--offer", short.offerHash, "--deadline-in", `${SHORT_DEADLINE}s`],
    ]);
    const settled = await this.#use(service.url, "buyer: an agreement used to its end", 24, true);
    await this.#step("contributor: proving and settling it", ["settle", settled, ...contributor]);
    const proven = await this.#use(service.url, "buyer: another one, used to its end", 32, true);
    this.#options.onStep("contributor: proving it, for the page to submit");
    await prove(service.admin.url, token, proven);
    const open = await this.#use(service.url, "buyer: an agreement under way", 12, false);
    await expire(ctx, taken.agreementId);
    return { settled, proven, open, expired: taken.agreementId };
  }

  /** Opens an agreement with a data folder of its own. */
  async #takeOffer(url: string, title: string, flags: readonly string[]) {
    const buyer = `buyer-${++this.#buyers}`;
    const { agreementId } = await this.#step<OpenResult>(title, [
      ...["open", "--contributor", url, "--amount", "0.002eth", "--model", FIXTURES.model],
      ...flags,
      ...this.#party(BUYER, buyer),
    ]);
    return { agreementId, buyer };
  }

  async #use(url: string, title: string, tokens: number, end: boolean): Promise<Hex> {
    const { agreementId, buyer } = await this.#takeOffer(url, title, ["--deadline-in", "1d"]);
    await this.#step("buyer: generating text", [
      ...[
        "generate",
        "--prompt",
        reference().prompt,
        "--max-tokens",
        String(tokens),
        "--model",
        FIXTURES.model,
      ],
      ...(end ? ["--end"] : []),
      ...["--data", join(this.#folder, buyer)],
    ]);
    return agreementId;
  }

  #facts(
    page: AppServer,
    { rpcUrl }: LocalNode,
    service: ServeResult,
    token: string,
    agreements: StageFacts["agreements"],
  ): StageFacts {
    const named = (name: string, index: number) => ({ name, index, address: testAccount(index).address });
    return {
      pageUrl: `${page.url}/`,
      contributorUrl: `${page.url}/#/contributor?token=${token}`,
      rpcUrl,
      serviceUrl: service.url,
      folder: this.#folder,
      accounts: [named("contributor", CONTRIBUTOR), named("buyer", BUYER), named("somebody else", 3)],
      agreements,
    };
  }
}

/** The page's configuration for a chain and a service. */
export function configOf(
  { chainId, rpcUrl, deployment }: ChainContext,
  { admin }: Pick<ServeResult, "admin">,
): AppConfig {
  return {
    chainId,
    rpcUrl,
    deployment: JSON.parse(stringifyMessage(deployment)) as Record<string, unknown>,
    services: [{ adminUrl: admin.url }],
  };
}

async function prove(adminUrl: string, token: string, agreementId: Hex): Promise<void> {
  const answer = await fetch(adminUrl + fillPath(ADMIN_PATHS.prove, { agreementId }), {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: "{}",
  });
  if (!answer.ok) throw new Error(`proving ${agreementId}: ${await answer.text()}`);
}

/** Moves the chain's clock past an agreement's deadline, if it is not there yet. */
async function expire(ctx: ChainContext, agreementId: Hex): Promise<void> {
  const left = (await readAgreement(ctx, agreementId))!.deadline + 1n - (await chainTime(ctx));
  const request = ctx.publicClient.request as (call: object) => Promise<unknown>;
  if (left > 0n) await request({ method: "evm_increaseTime", params: [Number(left)] });
  await request({ method: "evm_mine", params: [] });
}
