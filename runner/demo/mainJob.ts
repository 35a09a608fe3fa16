/**
 * The main job on real input: one adapter registered, offered, served, used, proven and paid for.
 *
 * Every step is a command of the product in a process of its own; contributor and buyer meet over a socket and the chain.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testAccount } from "../chain/accounts.ts";
import { connectChain } from "../chain/connect.ts";
import type { ChainConnection } from "../chain/connection.ts";
import { balanceOf, ETH } from "../chain/erc20.ts";
import { type LocalNode, startLocalNode } from "../chain/localNode.ts";
import { loadCommitKey } from "../keys/load.ts";
import { fromHex, type Hex, toHex } from "../protocol/bytes.ts";
import { loadCurve } from "../protocol/curve.ts";
import { DeltapayError } from "../protocol/errors.ts";
import type { ModulesPerProof } from "../protocol/groups.ts";
import { verifyProof } from "../prover/prove.ts";
import { bundleSchema, type ProofBundle, parseMessage } from "../wire/messages.ts";
import { type OnLine, runCommand, startCommand } from "./commands.ts";
import { FIXTURES } from "./fixtures.ts";
import { genesisOf, type Kept, makeDemoFolder, stopKept, writeKept } from "./kept.ts";
import type { EvaluateResult, GenerateResult, OpenResult, RegisterResult, SettledEvent } from "./results.ts";

const CONTRIBUTOR = 1;
const BUYER = 2;
/** 1,000 gwei a token; a receipt at the latest every 512 tokens. */
const TERMS = ["--price", "1000gwei", "--max-unpaid", "512", "--cap", "8192"];
/** Pays for 5,000 tokens; the job uses 4,140. */
const AMOUNT = "0.005eth";
const PROMPT_TOKENS = 40;
/** Milliseconds the contributor may take to prove and settle. */
const SETTLE_TIMEOUT = 120_000;

export interface JobOptions {
  modulesPerProof: ModulesPerProof;
  /** Leaves chain and data, transcript included, for an audit. */
  keep?: boolean;
  /** A step began. */
  onStep: (title: string) => void;
  /** What the commands print meanwhile. */
  onLine: OnLine;
}

interface Balances {
  contributor: bigint;
  buyer: bigint;
}

/** Everything the report is made of. */
export interface JobResult {
  registered: RegisterResult;
  opened: OpenResult;
  evaluated: EvaluateResult;
  generated: GenerateResult;
  settled: SettledEvent;
  settleGas: bigint;
  proofs: { group: number; modules: string[]; proveMs: number; verified: boolean }[];
  contributorWithdrew: bigint;
  buyerWithdrew: bigint;
  receiptContributorMs: number[];
  balances: { before: Balances; after: Balances };
  verifyMs: number;
}

/**
 * Runs it on a chain of its own.
 * @returns with `kept`, what was left running, when asked for
 * @throws DeltapayError whatever a step fails with; then nothing is left
 */
export async function runMainJob(options: JobOptions): Promise<JobResult & { kept?: Kept }> {
  const { keep = false } = options;
  if (keep) await stopKept();
  const folder = keep ? makeDemoFolder() : mkdtempSync(join(tmpdir(), "deltapay-demo-"));
  options.onStep("starting a local chain (Hardhat)");
  const node = await startLocalNode({ outlive: keep });
  let kept: Kept | undefined;
  try {
    const job = await new MainJob(node.rpcUrl, folder, options).run();
    if (!keep) return job;
    kept = await keptJob(node, folder, job);
    return { ...job, kept };
  } finally {
    if (kept === undefined) {
      await node.stop();
      rmSync(folder, { recursive: true, force: true });
    }
    await (await loadCurve()).terminate();
  }
}

async function keptJob({ pid, rpcUrl }: LocalNode, folder: string, job: JobResult): Promise<Kept> {
  const genesis = await genesisOf(rpcUrl);
  if (genesis === undefined)
    throw new DeltapayError("demo/chain-gone", "the chain to be kept does not answer");
  const { adapterId } = job.registered;
  const kept = { pid, genesis, rpcUrl, folder, agreementId: job.opened.agreementId, adapterId };
  writeKept(kept);
  return kept;
}

class MainJob {
  readonly #options: JobOptions;
  readonly #folder: string;
  readonly #chainFlags: string[];
  readonly #rpcUrl: string;

  constructor(rpcUrl: string, folder: string, options: JobOptions) {
    this.#options = options;
    this.#folder = folder;
    this.#rpcUrl = rpcUrl;
    this.#chainFlags = ["--rpc", rpcUrl, "--deployment", join(folder, "deployment.json")];
  }

  async run(): Promise<JobResult> {
    const chain = await connectChain({ rpcUrl: this.#rpcUrl });
    await this.#step("deploying the contracts", ["deploy"]);
    const before = await balances(chain);
    const registered = await this.#step<RegisterResult>(
      "contributor: committing to the adapter and registering it",
      [
        ...["adapter", "register", FIXTURES.adapters["kjv-attn"], "--model", FIXTURES.model],
        ...["--modules-per-proof", String(this.#options.modulesPerProof)],
        ...this.#party(CONTRIBUTOR, "contributor"),
      ],
    );
    await this.#step("contributor: signing an offer", [
      "offer",
      "make",
      ...TERMS,
      ...this.#party(CONTRIBUTOR, "contributor"),
    ]);
    const service = await this.#serve();
    try {
      const { opened, evaluated, generated } = await this.#buy(service.url);
      this.#options.onStep("contributor: proving and settling");
      const settled = await service.settled;
      const { gasUsed } = await chain.publicClient.getTransactionReceipt({ hash: settled.txHash });
      const { proofs, verifyMs } = await this.#verifyProofs(registered, opened.agreementId, service.proveMs);
      const money = await this.#takeMoney(opened.agreementId);
      const after = await balances(chain);
      return {
        ...{ registered, opened, evaluated, generated, settled, proofs, verifyMs, ...money },
        settleGas: gasUsed,
        receiptContributorMs: service.receiptMs,
        balances: { before, after },
      };
    } finally {
      await service.stop();
    }
  }

  #party(account: number, role: string): string[] {
    return ["--account", String(account), "--data", join(this.#folder, role)];
  }

  #step<Result>(title: string, args: readonly string[]): Promise<Result> {
    this.#options.onStep(title);
    return runCommand<Result>([...args, ...this.#chainFlags], this.#options.onLine);
  }

  /** The contributor's service as a process; hears from its events when it has settled. */
  async #serve() {
    this.#options.onStep("contributor: serving");
    const proveMs: number[] = [];
    const receiptMs: number[] = [];
    const { promise: settled, resolve, reject } = Promise.withResolvers<SettledEvent>();
    settled.catch(() => {});
    const args = ["serve", "--port", "0", ...this.#party(CONTRIBUTOR, "contributor"), ...this.#chainFlags];
    const { result, stop } = await startCommand<{ url: string }>(args, (line) => {
      const event = parseEvent(line);
      if (event?.type === "proving") proveMs.push(event["proveMs"] as number);
      if (event?.type === "receipt") receiptMs.push(event["computeMs"] as number);
      if (event?.type === "settled") resolve(event as unknown as SettledEvent);
      if (event?.type === "failed") this.#options.onLine(`contributor: ${line}`);
    });
    const timeout = (): void =>
      reject(new DeltapayError("demo/not-settled", "the contributor did not settle in time"));
    const timer = setTimeout(timeout, SETTLE_TIMEOUT + 600_000).unref();
    return {
      url: result.url,
      settled,
      proveMs,
      receiptMs,
      stop: () => {
        clearTimeout(timer);
        return stop();
      },
    };
  }

  async #buy(url: string) {
    const model = ["--model", FIXTURES.model];
    const transcript = this.#options.keep === true ? ["--keep-transcript", "--keep-opening"] : [];
    const buyer = ["--data", join(this.#folder, "buyer"), ...transcript];
    const opened = await this.#step<OpenResult>("buyer: checking the adapter and paying in", [
      ...["open", "--contributor", url, "--amount", AMOUNT, ...model, ...this.#party(BUYER, "buyer")],
    ]);
    const evaluated = await this.#step<EvaluateResult>("buyer: measuring perplexity on held-out text", [
      ...["evaluate", "--text", FIXTURES.text, ...model, ...buyer],
    ]);
    const generated = await this.#step<GenerateResult>("buyer: generating text, then ending the session", [
      ...[
        "generate",
        "--prompt",
        reference().prompt,
        "--max-tokens",
        String(PROMPT_TOKENS),
        "--end",
        ...model,
        ...buyer,
      ],
    ]);
    return { opened, evaluated, generated };
  }

  /** Verifies the bundle's proofs here again, outside the contributor's process and the chain. */
  async #verifyProofs({ modules, keySize }: RegisterResult, agreementId: Hex, proveMs: readonly number[]) {
    const file = join(this.#folder, "bundle.json");
    const contributor = ["--data", join(this.#folder, "contributor")];
    await this.#step("anybody: verifying the proofs again", [
      "prove",
      agreementId,
      "--out",
      file,
      ...contributor,
    ]);
    const bundle: ProofBundle = parseMessage(bundleSchema, JSON.parse(readFileSync(file, "utf8")), "bundle");
    const key = await loadCommitKey(keySize);
    // starting the curve is no part of verifying
    await loadCurve();
    const word = (value: bigint): Uint8Array => fromHex(`0x${value.toString(16).padStart(64, "0")}`);
    let verifyMs = 0;
    const proofs = [];
    for (const claim of bundle.claims) {
      const [x, y] = bundle.V[claim.group]!;
      const V = fromHex(`${toHex(word(x))}${toHex(word(y)).slice(2)}`);
      const started = performance.now();
      const verified = await verifyProof(key, V, claim);
      verifyMs = performance.now() - started;
      proofs.push({
        group: claim.group,
        modules: modules.filter(({ group }) => group === claim.group).map(({ name }) => name),
        proveMs: Math.round(proveMs[claim.group] ?? 0),
        verified,
      });
    }
    return { proofs, verifyMs };
  }

  /** The contributor gives back what is left, and both take out what is theirs. */
  async #takeMoney(agreementId: Hex) {
    const { amount: released } = await this.#step<{ amount: string }>("contributor: releasing what is left", [
      ...["release", agreementId, "--account", String(CONTRIBUTOR)],
    ]);
    const withdraw = async (who: string, account: number): Promise<bigint> => {
      const { amount } = await this.#step<{ amount: string }>(`${who}: withdrawing`, [
        ...["withdraw", "--account", String(account)],
      ]);
      return BigInt(amount);
    };
    const contributorWithdrew = await withdraw("contributor", CONTRIBUTOR);
    const buyerWithdrew = BigInt(released) === 0n ? 0n : await withdraw("buyer", BUYER);
    return { contributorWithdrew, buyerWithdrew };
  }
}

/** The numbers a float implementation gave for the same text and prompt. */
export function reference(): {
  prompt: string;
  cases: Record<string, { perplexity_kjv: number; greedy: string }>;
} {
  return JSON.parse(readFileSync(FIXTURES.reference, "utf8"));
}

function parseEvent(line: string): ({ type: string } & Record<string, unknown>) | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function balances(chain: ChainConnection): Promise<Balances> {
  const [contributor, buyer] = await Promise.all(
    [CONTRIBUTOR, BUYER].map((index) => balanceOf(chain, ETH.address, testAccount(index).address)),
  );
  return { contributor: contributor!, buyer: buyer! };
}
