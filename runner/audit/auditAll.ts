/** All agreements of an escrow, one after another; what is done is kept in a file, so that a second run goes on. */
import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { audit, type OnProgress } from "./audit.ts";
import { agreementsOf, readHistory } from "./chain/history.ts";
import type { ChainNode } from "./chain/node.ts";
import type { Hex } from "./primitives/bytes.ts";
import { AuditError } from "./problem.ts";
import { type Deployment, readRelease } from "./release.ts";
import type { Verdict } from "./verdict.ts";

export interface AuditedAgreement {
  agreementId: Hex;
  /** Block as of which it was audited: what came later was not seen. */
  block: string;
  verdict: Verdict;
  /** Names of the checks. */
  failed: string[];
  notCheckable: string[];
}

export interface AuditAllOptions {
  node: ChainNode;
  deployment: Deployment;
  fromBlock?: bigint;
  /** File of what is done, a JSON document a line. */
  state?: string;
  onProgress: OnProgress;
  onAgreement: (audited: AuditedAgreement) => void;
}

export interface AuditAllReport {
  verdict: Verdict;
  chainId: bigint;
  block: bigint;
  agreements: AuditedAgreement[];
  counts: Record<Verdict, number>;
  /** How many of them an earlier run had done. */
  resumed: number;
}

/** Checks that need more than the chain. Others that could not be made wait for a node that answers. */
const BEYOND_CHAIN = ["manifest", "commitments", "knowledge", "statements", "token"];

/** The text of a state file, which begins with `head` when it was not there. @throws AuditError `audit/bad-state` */
function readOrBegin(file: string, head: string): string {
  try {
    if (!existsSync(file)) writeFileSync(file, head);
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new AuditError("audit/bad-state", `${file} cannot be used: ${(error as Error).message}`, {
      field: "state",
      hint: "name a file in a folder that is there",
    });
  }
}

/** Lines of a state file; the first names chain and escrow. */
class StateFile {
  readonly done = new Map<Hex, AuditedAgreement>();
  readonly #file: string | undefined;

  /** @throws AuditError `audit/bad-state` for the file of another escrow, or one that cannot be used */
  constructor(file: string | undefined, { chainId, escrow }: Deployment) {
    this.#file = file;
    if (file === undefined) return;
    const head = JSON.stringify({ deltapayAudit: 1, chainId: String(chainId), escrow });
    const text = readOrBegin(file, `${head}\n`);
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    const [first, ...lines] = whole.split("\n").filter((line) => line !== "");
    if (first !== head)
      throw new AuditError("audit/bad-state", `${file} is not of this chain and escrow`, {
        field: "state",
        hint: "give another --state file",
      });
    // A run that was killed may have left half a line. Any other file stays as it is.
    if (whole.length !== text.length) truncateSync(file, Buffer.byteLength(whole));
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    try {
      const audited = JSON.parse(line) as AuditedAgreement;
      this.done.set(audited.agreementId, audited);
    } catch {
      throw new AuditError("audit/bad-state", `a line of ${this.#file} is no JSON`, { field: "state" });
    }
  }

  add(audited: AuditedAgreement): void {
    this.done.set(audited.agreementId, audited);
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(audited)}\n`);
  }
}

/** Block of the newest event of each agreement: one that moved on since is audited again. */
function newestEvents(events: Awaited<ReturnType<typeof readHistory>>["events"]): Map<Hex, bigint> {
  const newest = new Map<Hex, bigint>();
  for (const { args, log } of events)
    if (typeof args["agreementId"] === "string") newest.set(args["agreementId"], log.blockNumber);
  return newest;
}

/**
 * Audits every agreement opened since `fromBlock` from chain data and what contributors publish.
 * @throws AuditError `audit/bad-state`, or when the node fails
 */
export async function auditAll(options: AuditAllOptions): Promise<AuditAllReport> {
  const { node, deployment, state: file, onProgress, onAgreement } = options;
  const { registry, escrow, startBlock } = deployment;
  const state = new StateFile(file, { ...deployment, chainId: node.chainId });
  const release = readRelease();
  const history = await readHistory(
    node,
    { registry, escrow },
    options.fromBlock ?? startBlock,
    (done, total) => onProgress("reading events", done, total),
  );
  const ids = agreementsOf(history);
  const newest = newestEvents(history.events);
  const isDone = (id: Hex): boolean => {
    const known = state.done.get(id);
    if (known === undefined || BigInt(known.block) < newest.get(id)!) return false;
    return known.notCheckable.every((name) => BEYOND_CHAIN.includes(name));
  };
  const left = ids.filter((id) => !isDone(id));
  for (const [i, agreementId] of left.entries()) {
    const silent: OnProgress = () => {};
    const { verdict, checks } = await audit({
      ...{ node, deployment, agreementId, history, release, onProgress: silent },
      files: { opening: undefined, transcripts: [] },
    });
    const named = (result: string): string[] =>
      checks.filter((check) => check.result === result).map(({ name }) => name);
    const audited = {
      ...{ agreementId, block: String(node.block), verdict },
      failed: named("failed"),
      notCheckable: named("not checkable"),
    };
    state.add(audited);
    onAgreement(audited);
    onProgress("agreements", ids.length - left.length + i + 1, ids.length);
  }
  const agreements = ids.map((id) => state.done.get(id)!);
  const count = (verdict: Verdict): number =>
    agreements.filter((audited) => audited.verdict === verdict).length;
  const counts = { passed: count("passed"), failed: count("failed"), incomplete: count("incomplete") };
  // of no agreement at all nothing was checked: it may be the wrong chain, escrow or block
  const some = counts.incomplete > 0 || ids.length === 0 ? "incomplete" : "passed";
  const verdict = counts.failed > 0 ? "failed" : some;
  const { chainId, block } = node;
  return { verdict, chainId, block, agreements, counts, resumed: ids.length - left.length };
}
