/** Kills the real processes of contributors and buyers many times, on one real chain, and counts what came of it. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { testAccount } from "../../runner/chain/accounts.ts";
import { type ChainContext, connect } from "../../runner/chain/connect.ts";
import { freePort, startLocalNode } from "../../runner/chain/localNode.ts";
import { runCommand } from "../../runner/demo/commands.ts";
import { FIXTURES } from "../../runner/demo/fixtures.ts";
import { chainErrors, type PartiesOnChain } from "./chainMoney.ts";
import { readContributor } from "./databases.ts";
import type { Kill } from "./faultPlan.ts";
import { Lane } from "./lane.ts";
import { SeededRandom } from "./random.ts";
import { Targets } from "./targets.ts";

/** Tokens an offer serves without a receipt. */
const MAX_UNPAID_TOKENS = 4;

export interface KillOptions {
  kills: number;
  seed: number;
  /** Pairs of parties at work at the same time. */
  lanes?: number;
  /** Kill only where `role: step` matches. */
  only?: RegExp;
  /** Kill just there, in this order for each role, and nowhere else. */
  exactly?: readonly { role: string; step: string; nth: number }[];
  /** Ends it before its time: nothing is left running. */
  signal?: AbortSignal;
  /** Hears of each kill, with what came of all so far. */
  onKill?: (where: string, sofar: KillFigures) => void;
}

export interface KillFigures {
  kills: number;
  /** Kills after which what was interrupted came to its end. */
  resumed: number;
  moneyErrors: number;
  doublePaid: number;
  unpaidTokensMax: number;
  maxUnpaidTokens: number;
  agreements: number;
  seed: number;
  seconds: number;
  /** Kills by process and step; 0: seen and not killed there. */
  steps: Record<string, number>;
  errors: string[];
}

interface Ground {
  folder: string;
  ctx: ChainContext;
  chain: string[];
  text: string;
}

/** Runs until so many processes were killed. @throws DeltapayError when the ground cannot be prepared, or `signal` ends it */
export async function killAndResume(options: KillOptions): Promise<KillFigures> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "deltapay-kill-"));
  const node = await startLocalNode();
  let run: KillRun | undefined;
  try {
    options.signal?.throwIfAborted();
    const deploymentFile = path.join(folder, "deployment.json");
    const chain = ["--rpc", node.rpcUrl, "--deployment", deploymentFile];
    await runCommand(["deploy", ...chain]);
    const ctx = await connect({ rpcUrl: node.rpcUrl, deploymentFile });
    const text = path.join(folder, "text.txt");
    fs.writeFileSync(text, fs.readFileSync(FIXTURES.text, "utf8").slice(0, 400));
    run = new KillRun(options, { folder, ctx, chain, text });
    return await Promise.race([run.run(), aborted(options.signal)]);
  } finally {
    await run?.abandon();
    await node.stop();
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function aborted(signal: AbortSignal | undefined): Promise<never> {
  signal?.throwIfAborted();
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

class KillRun {
  readonly #options: KillOptions;
  readonly #ground: Ground;
  readonly #random: SeededRandom;
  readonly #targets: Targets;
  readonly #lanes: Lane[] = [];
  readonly #started = performance.now();
  readonly #exactly: { role: string; step: string; nth: number }[];
  #kills = 0;
  #resumed = 0;
  #agreements = 0;

  constructor(options: KillOptions, ground: Ground) {
    this.#options = options;
    this.#ground = ground;
    this.#random = new SeededRandom(options.seed);
    this.#exactly = [...(options.exactly ?? [])];
    this.#targets = new Targets(this.#random, options.only);
  }

  async run(): Promise<KillFigures> {
    const { lanes = 2 } = this.#options;
    for (let lane = 0; lane < lanes; lane++) this.#lanes.push(await this.#prepare(lane, lanes));
    await Promise.all(this.#lanes.map((lane) => this.#live(lane)));
    await this.#checkChain(this.#lanes[0]!);
    return this.#figures();
  }

  /** Ends every process it started. */
  async abandon(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.abandon()));
  }

  /** A registered adapter, an offer, and the parties. */
  async #prepare(index: number, lanes: number): Promise<Lane> {
    const { chain, text } = this.#ground;
    const folder = path.join(this.#ground.folder, `lane-${index}`);
    const contributorAccount = 1 + 2 * index;
    const lane: Lane = new Lane({
      ...{ folder, chain, text, contributorAccount, model: FIXTURES.model },
      buyerAccount: 2 + 2 * index,
      port: await freePort(),
      maxUnpaidTokens: MAX_UNPAID_TOKENS,
      serviceSettles: (index + lanes) % 2 === 0,
      isAnywhere: this.#isAnywhere,
      aim: (role, phases) => this.#aim(index, role, phases),
      aimOutside: (role) => (this.#isAnywhere ? this.#targets.nextMoment(role) : undefined),
      onSteps: (role, phase, lines) => this.#targets.saw(index, role, phase, lines),
      onEnd: (role, { killedAt }) => {
        if (killedAt === undefined) return;
        this.#kills++;
        this.#targets.killedAt(role, killedAt);
        this.#options.onKill?.(`${role}: ${killedAt}`, this.#figures());
      },
      onResumed: (kills) => {
        this.#resumed += kills;
      },
      checkChain: () => this.#checkChain(lane),
    });
    fs.mkdirSync(folder);
    const own = ["--account", String(contributorAccount), "--data", lane.contributorFolder, ...chain];
    const adapter = FIXTURES.adapters["kjv-attn"];
    await runCommand(["adapter", "register", adapter, "--model", FIXTURES.model, ...own]);
    const limits = ["--max-unpaid", String(MAX_UNPAID_TOKENS), "--cap", "400", "--max-opens", "10000"];
    await runCommand(["offer", "make", "--price", "10wei", "--fee", "7wei", ...limits, ...own]);
    return lane;
  }

  /** Whether any moment will do. */
  get #isAnywhere(): boolean {
    return this.#options.only === undefined && this.#options.exactly === undefined;
  }

  /** Where the next process of a role is to end. */
  #aim(lane: number, role: string, phases: readonly string[]): Kill | undefined {
    if (this.#isOver()) return undefined;
    if (this.#options.exactly === undefined) return this.#targets.next(lane, role, phases);
    const next = this.#exactly.findIndex((target) => target.role === role);
    return next === -1 ? undefined : this.#exactly.splice(next, 1)[0];
  }

  #isOver(): boolean {
    return this.#kills >= this.#options.kills;
  }

  async #live(lane: Lane): Promise<void> {
    await lane.startService();
    try {
      do this.#agreements++;
      while ((await lane.life()) && !this.#isOver() && this.#options.exactly === undefined);
    } catch (error) {
      lane.invariant.found(String(error));
    } finally {
      await lane.stop();
    }
  }

  /** What is wrong on chain is told of the lane that asked. */
  async #checkChain(lane: Lane): Promise<void> {
    const errors = await chainErrors(this.#ground.ctx, () =>
      this.#lanes.map((each, index) => partiesOf(each, index)),
    );
    for (const { what, isPaidTwice } of errors) lane.invariant.found(what, isPaidTwice);
  }

  #figures(): KillFigures {
    const all = this.#lanes.map(({ invariant }) => invariant);
    const errors = all.flatMap((invariant) => invariant.errors);
    return {
      kills: this.#kills,
      resumed: this.#resumed,
      moneyErrors: errors.length,
      doublePaid: all.reduce((sum, { doublePaid }) => sum + doublePaid, 0),
      unpaidTokensMax: Math.max(...all.map(({ unpaidTokensMax }) => unpaidTokensMax)),
      maxUnpaidTokens: MAX_UNPAID_TOKENS,
      agreements: this.#agreements,
      seed: this.#options.seed,
      seconds: Math.round((performance.now() - this.#started) / 1000),
      steps: this.#targets.kills,
      errors,
    };
  }
}

function partiesOf(lane: Lane, index: number): PartiesOnChain {
  const receipted = new Map<string, number>();
  for (const { agreement, tokens } of readContributor(lane.contributorFolder).receipts)
    receipted.set(agreement, Math.max(tokens, receipted.get(agreement) ?? 0));
  return {
    contributor: testAccount(1 + 2 * index).address,
    buyer: testAccount(2 + 2 * index).address,
    known: new Set(lane.readBuyers().agreements.map(({ id }) => id)),
    receipted,
  };
}
