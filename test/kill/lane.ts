/**
 * One contributor and one buyer who do business while their processes are killed: an agreement is opened, used, ended and
 * settled, then the next. After each kill the money invariant is checked; then the process is started again.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandUnderTest, type Ended } from "./commandUnderTest.ts";
import { type BuyerRows, readBuyer, readContributor } from "./databases.ts";
import type { Kill, LogLine } from "./faultPlan.ts";
import { MoneyInvariant } from "./invariant.ts";

/** Milliseconds after which a command that neither ends nor goes on is an error. */
const STUCK_MS = 120_000;
/** Starts of one command until it must have come to its end. */
const MOST_STARTS = 40;
/** Kills of one command, or of the service during one agreement: about as many steps as each has. */
const MOST_KILLS: Record<string, number> = { serve: 8, open: 4, use: 2, settle: 5 };

/** What an agreement goes through. */
type Phase = "opening" | "using" | "ending" | "settling";
const PHASES: readonly Phase[] = ["opening", "using", "ending", "settling"];

export interface LaneOptions {
  folder: string;
  /** `--rpc URL --deployment FILE`. */
  chain: readonly string[];
  model: string;
  text: string;
  contributorAccount: number;
  buyerAccount: number;
  port: number;
  maxUnpaidTokens: number;
  /** Whether the service settles, or the command `settle`. */
  serviceSettles: boolean;
  /** Where a process that starts now is to end. */
  aim(role: string, phases: readonly string[]): Kill | undefined;
  /** Whether any moment will do. */
  isAnywhere: boolean;
  /** Milliseconds after which it is killed from outside instead, if so. */
  aimOutside(role: string): number | undefined;
  /** Hears of the steps a process took. */
  onSteps(role: string, phase: string, lines: readonly LogLine[]): void;
  /** Hears of every process that ended, and how; a kill counts. */
  onEnd(role: string, ended: Ended): void;
  /** Hears that a command came to its end after so many kills. */
  onResumed(kills: number): void;
  /** Judges the chain; called after each kill. */
  checkChain(): Promise<void>;
}

export class Lane {
  readonly invariant: MoneyInvariant;
  readonly #options: LaneOptions;
  #service: CommandUnderTest | undefined;
  #serviceKills = 0;
  /** Whether the service that runs is to end itself somewhere. */
  #serviceAimed = false;
  #supervision: Promise<void> = Promise.resolve();
  #stopping = false;
  readonly #running = new Set<CommandUnderTest>();
  #agreement: string | undefined;
  #phase: Phase = "opening";
  /** Where the last process of a role was killed. */
  readonly #killedAt = new Map<string, string>();
  /** What the service that runs was started after. */
  #serviceAfter: string | undefined;
  /** Lines of the service's log that are told of. */
  #told = 0;
  #lives = 0;
  readonly #buyerFolders: string[] = [];
  #started = 0;
  /** Checks read both parties while one stands still: one after the other. */
  #checking: Promise<unknown> = Promise.resolve();

  constructor(options: LaneOptions) {
    this.#options = options;
    this.invariant = new MoneyInvariant(options.maxUnpaidTokens);
  }

  get contributorFolder(): string {
    return path.join(this.#options.folder, "contributor");
  }

  /** The newest; now and then a buyer begins with an empty one. */
  get #buyerFolder(): string {
    return this.#buyerFolders.at(-1)!;
  }

  /** What the buyer has in all its folders. */
  readBuyers(): BuyerRows {
    const rows = this.#buyerFolders
      .filter((folder) => fs.existsSync(path.join(folder, "buyer.db")))
      .map((folder) => readBuyer(folder));
    return {
      agreements: rows.flatMap(({ agreements }) => agreements),
      sessions: rows.flatMap(({ sessions }) => sessions),
      passes: rows.flatMap(({ passes }) => passes),
      receipts: rows.flatMap(({ receipts }) => receipts),
    };
  }

  /** Goes on to a phase; what the service did before is told as the earlier one's. */
  #enter(phase: Phase): void {
    this.#tellService();
    this.#phase = phase;
    // What was to end it belongs to what is over: another is started, to be ended in what comes.
    if (this.#serviceAimed && this.#options.isAnywhere) this.#service?.kill();
  }

  #tellService(): void {
    const lines = this.#service?.allLines() ?? [];
    this.#tell("serve", this.#serviceAfter, lines.slice(this.#told));
    this.#told = lines.length;
  }

  /** Some steps are taken only after a kill at another: they are told as that besides. */
  #tell(role: string, after: string | undefined, lines: readonly LogLine[]): void {
    this.#options.onSteps(role, this.#phase, lines);
    if (after !== undefined) this.#options.onSteps(role, this.#following(after), lines);
  }

  #following(killedAt: string): string {
    return `${this.#phase} after a kill ${killedAt}`;
  }

  /** Where a process that starts now is to end; the service lives on through the phases to come. */
  #aim(role: string): Kill | undefined {
    const toCome = role === "serve" ? PHASES.slice(PHASES.indexOf(this.#phase)) : [this.#phase];
    const after = this.#killedAt.get(role);
    return this.#options.aim(role, after === undefined ? toCome : [this.#following(after), ...toCome]);
  }

  #start(role: string, args: readonly string[], kill: Kill | undefined): CommandUnderTest {
    const log = path.join(this.#options.folder, `${++this.#started}-${role}.log`);
    const command = new CommandUnderTest(args, log, kill);
    this.#running.add(command);
    void command.ended.then(() => this.#running.delete(command));
    const outside = kill === undefined ? undefined : this.#options.aimOutside(role);
    if (outside !== undefined) {
      const timer = setTimeout(() => command.kill(), outside);
      void command.ended.then(() => clearTimeout(timer));
    }
    return command;
  }

  /** Takes in how a process ended; after a kill everything is judged. */
  async #ended(role: string, command: CommandUnderTest): Promise<Ended> {
    const after = this.#killedAt.get(role);
    const ended = await command.ended;
    if (command === this.#service) this.#tellService();
    else this.#tell(role, after, command.allLines());
    if (ended.killedAt === undefined) this.#killedAt.delete(role);
    else this.#killedAt.set(role, ended.killedAt);
    this.#options.onEnd(role, ended);
    if (ended.killedAt !== undefined) {
      this.invariant.lastKill = `${role}: ${ended.killedAt}`;
      await this.#check(role, command);
    } else this.#hear(role, command);
    if (command !== this.#service) fs.rmSync(command.log, { force: true });
    return ended;
  }

  #hear(role: string, command: CommandUnderTest): void {
    this.invariant.heard(role, this.#agreement, command.newLines());
  }

  #check(role: string, command: CommandUnderTest): Promise<void> {
    const checked = this.#checking.then(async () => {
      this.#hear(role, command);
      if (this.#service !== undefined && this.#service !== command) this.#hear("serve", this.#service);
      this.#judge();
      await this.#options.checkChain();
    });
    this.#checking = checked;
    return checked;
  }

  #judge(): void {
    const contributor = readContributor(this.contributorFolder);
    const buyer = this.readBuyers();
    this.invariant.check(contributor, buyer);
  }

  /** Starts the service, and again whenever it is killed, until `stop`. */
  async startService(): Promise<void> {
    const { port, serviceSettles, contributorAccount, chain } = this.#options;
    const args = [
      ...["serve", "--port", String(port), "--account", String(contributorAccount)],
      ...["--data", this.contributorFolder, ...chain, ...(serviceSettles ? [] : ["--no-settle"])],
    ];
    const kill = this.#serviceKills < MOST_KILLS["serve"]! ? this.#aim("serve") : undefined;
    this.#serviceAimed = kill !== undefined;
    const service = this.#start("serve", args, kill);
    this.#service = service;
    this.#serviceAfter = this.#killedAt.get("serve");
    this.#told = 0;
    this.#supervision = this.#ended("serve", service).then(async (ended) => {
      if (this.#stopping) return;
      if (ended.killedAt === undefined)
        this.invariant.found(`the service ended by itself: ${ended.code} ${ended.stderr}`);
      this.#serviceKills++;
      await this.startService();
      await this.#ready();
      this.#options.onResumed(1);
    });
    this.#supervision.catch((error) => this.invariant.found(`supervision failed: ${error}`));
  }

  async #ready(): Promise<void> {
    const service = this.#service!;
    await Promise.race([service.ready, service.ended, timeout("the service to listen")]);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#service?.stop();
    await this.#supervision;
    this.#hear("serve", this.#service!);
    this.#judge();
  }

  /** Ends everything at once; nothing is judged any more. */
  async abandon(): Promise<void> {
    this.#stopping = true;
    const running = [...this.#running];
    for (const command of running) command.kill();
    await Promise.all(running.map(({ ended }) => ended));
  }

  /**
   * Runs a command to its end, however often it is killed.
   * @param isDone whether what it is for was done although it was killed or refused
   */
  async #insist(
    role: string,
    args: readonly string[],
    isDone: (ended: Ended) => boolean,
  ): Promise<Ended | undefined> {
    let kills = 0;
    for (let starts = 0; starts < MOST_STARTS; starts++) {
      await this.#ready();
      if (this.#stopping) return undefined;
      const aim = kills < MOST_KILLS[role]! ? this.#aim(role) : undefined;
      const command = this.#start(role, args, aim);
      const ended = await Promise.race([this.#ended(role, command), timeout(`${role} to end`)]);
      if (ended.killedAt !== undefined) kills++;
      if (ended.code === 0 || isDone(ended)) {
        this.#options.onResumed(kills);
        return ended;
      }
      if (ended.killedAt === undefined && !isPassing(ended)) {
        this.invariant.found(`${role} cannot go on: ${JSON.stringify(ended.document)} ${ended.stderr}`);
        return undefined;
      }
      if (ended.killedAt === undefined) await sleep(100);
    }
    this.invariant.found(`${role} did not come to its end`);
    return undefined;
  }

  /** The phase of the agreement at the contributor's. */
  #phaseThere(): string | undefined {
    return readContributor(this.contributorFolder).agreements.find(({ id }) => id === this.#agreement)?.phase;
  }

  /** An agreement from `open` to its settlement. @returns whether it came to its end */
  async life(): Promise<boolean> {
    this.#serviceKills = 0;
    // What the service answered so far belongs to the agreement before.
    if (this.#service !== undefined) this.#hear("serve", this.#service);
    this.#agreement = undefined;
    if (this.#lives++ % 4 !== 3)
      this.#buyerFolders.push(path.join(this.#options.folder, `buyer-${this.#lives}`));
    this.#enter("opening");
    // A service that was never to end is replaced by one that is, now that its steps are known.
    if (this.#lives > 1 && !this.#serviceAimed && this.#aim("serve") !== undefined) this.#service!.kill();
    return (await this.#open()) && (await this.#use()) && (await this.#settle());
  }

  async #open(): Promise<boolean> {
    const { port, model, chain, buyerAccount } = this.#options;
    const known = new Set(this.#openAgreements());
    const args = [
      ...["open", "--contributor", `http://127.0.0.1:${port}`, "--amount", "4000wei", "--model", model],
      ...["--account", String(buyerAccount), "--data", this.#buyerFolder, ...chain],
    ];
    const fresh = (): string | undefined => this.#openAgreements().find((id) => !known.has(id));
    await this.#insist("open", args, () => fresh() !== undefined);
    this.#agreement = fresh();
    if (this.#agreement === undefined && !this.#stopping)
      this.invariant.found("the buyer opened an agreement that it does not know");
    return this.#agreement !== undefined;
  }

  #openAgreements(): string[] {
    return this.readBuyers()
      .agreements.filter(({ phase }) => phase === "open")
      .map(({ id }) => id);
  }

  async #use(): Promise<boolean> {
    this.#enter("using");
    const { model, chain, text } = this.#options;
    const common = ["--model", model, "--agreement", this.#agreement!, "--data", this.#buyerFolder, ...chain];
    const generate = ["generate", "--prompt", "And", "--max-tokens", "5", ...common];
    const evaluate = [
      "evaluate",
      "--text",
      text,
      "--max-tokens",
      "8",
      "--context",
      "4",
      "--no-base",
      ...common,
    ];
    const never = (): boolean => false;
    const isEnded = (): boolean => this.#phaseThere() !== "serving";
    for (const command of [generate, evaluate])
      if ((await this.#insist("use", command, never)) === undefined) return false;
    this.#enter("ending");
    return (await this.#insist("use", [...generate, "--end"], isEnded)) !== undefined;
  }

  async #settle(): Promise<boolean> {
    this.#enter("settling");
    const { serviceSettles, contributorAccount, chain } = this.#options;
    if (serviceSettles) return this.#untilSettled();
    const own = ["--account", String(contributorAccount), "--data", this.contributorFolder, ...chain];
    const isDone = (): boolean => this.#phaseThere() === "settled";
    return (await this.#insist("settle", ["settle", this.#agreement!, ...own], isDone)) !== undefined;
  }

  async #untilSettled(): Promise<boolean> {
    const until = performance.now() + STUCK_MS;
    while (performance.now() < until) {
      if (this.#phaseThere() === "settled") return true;
      await sleep(50);
    }
    this.invariant.found(`${this.#agreement} was not settled`);
    return false;
  }
}

async function timeout(what: string): Promise<never> {
  await sleep(STUCK_MS, undefined, { ref: false });
  throw new Error(`waited too long for ${what}`);
}

/** The other side is away, still at the last request, or just being started: what a person would try again. */
function isPassing({ document }: Ended): boolean {
  const code = (document?.["error"] as { code?: string } | undefined)?.code ?? "";
  return /^http\/(unreachable|interrupted|timeout)$|^session\/busy$/.test(code);
}
