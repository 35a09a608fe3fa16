/** `deltapay audit`: replays what was settled, by code that shares nothing with what is audited. */
import { closeSync, openSync, writeFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { type AuditReport, audit, type OnProgress } from "../../audit/audit.ts";
import { auditAll } from "../../audit/auditAll.ts";
import { connectNode } from "../../audit/chain/node.ts";
import { endSnarkjs } from "../../audit/formats/groth16.ts";
import { AuditError } from "../../audit/problem.ts";
import { findDeployment, readRelease } from "../../audit/release.ts";
import { reportHtml } from "../../audit/report/html.ts";
import { DEFAULT_RPC_URL } from "../../chain/connect.ts";
import { findKept, keptFiles } from "../../demo/kept.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { badValue, ExitCode } from "../failure.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";
import { hash, several, wholeNumber } from "../parsers.ts";

interface Flags extends OutputFlags {
  rpc?: string;
  fromBlock?: number;
  deployment?: string;
  manifest?: string;
  opening?: string;
  transcript?: string[];
  report?: string;
  all?: boolean;
  state?: string;
  tampered?: string;
}

/** Options with what a demo left running, where none are given and it is about its agreement. */
async function withKept(flags: Flags, agreementId: string | undefined): Promise<Flags> {
  if (flags.rpc !== undefined) return flags;
  const kept = await findKept();
  if (kept === undefined) return flags;
  const { deployment, manifest, opening, transcript } = keptFiles(kept);
  const own = agreementId === kept.agreementId ? { manifest, opening, transcript: [transcript] } : {};
  return { deployment, ...own, ...flags, rpc: kept.rpcUrl };
}

const MARKS = { passed: "passed", failed: "FAILED", "not checkable": "not checkable" } as const;

function checkLines(checks: AuditReport["checks"]): string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks.map(({ name, result, detail }) => `  ${name.padEnd(width)}  ${MARKS[result]}: ${detail}`);
}

function lines({ verdict, agreementId, chainId, block, checks }: AuditReport): string[] {
  return [
    `agreement ${agreementId} on chain ${chainId}, as of block ${block}`,
    ...checkLines(checks),
    verdict === "incomplete"
      ? "verdict: incomplete: nothing failed, and what is named above could not be checked"
      : `verdict: ${verdict}`,
  ];
}

function progressOn(out: Output): OnProgress {
  return (label, done, total) => {
    if (total > 0) out.progress.update(label, done, total);
  };
}

/** Before minutes of work whose outcome could then not be written. @throws DeltapayError `audit/cannot-write` */
function checkWritable(file: string): void {
  try {
    closeSync(openSync(file, "a"));
  } catch (cause) {
    throw new DeltapayError("audit/cannot-write", `${file} cannot be written: ${(cause as Error).message}`, {
      field: "report",
      hint: "name a file in a folder that is there",
      cause,
    });
  }
}

async function one(out: Output, agreementId: string, given: Flags): Promise<void> {
  if (given.report !== undefined) checkWritable(given.report);
  const flags = await withKept(given, agreementId);
  const node = await connectNode(flags.rpc ?? DEFAULT_RPC_URL);
  try {
    const report = await audit({
      node,
      deployment: findDeployment(readRelease(), node.chainId, flags.deployment),
      ...(flags.fromBlock === undefined ? {} : { fromBlock: BigInt(flags.fromBlock) }),
      agreementId,
      ...(flags.manifest === undefined ? {} : { manifest: flags.manifest }),
      files: { opening: flags.opening, transcripts: flags.transcript ?? [] },
      onProgress: progressOn(out),
    });
    if (flags.report !== undefined) writeFileSync(flags.report, reportHtml(report));
    out.result(report, () => lines(report));
    if (report.verdict === "failed") process.exitCode = ExitCode.failed;
  } finally {
    node.close();
  }
}

async function all(out: Output, given: Flags): Promise<void> {
  const flags = await withKept(given, undefined);
  const node = await connectNode(flags.rpc ?? DEFAULT_RPC_URL);
  try {
    const report = await auditAll({
      node,
      deployment: findDeployment(readRelease(), node.chainId, flags.deployment),
      ...(flags.fromBlock === undefined ? {} : { fromBlock: BigInt(flags.fromBlock) }),
      ...(flags.state === undefined ? {} : { state: flags.state }),
      onProgress: progressOn(out),
      onAgreement: ({ agreementId, verdict, failed }) =>
        out.note(`${agreementId}: ${verdict}${failed.length === 0 ? "" : ` (${failed.join(", ")})`}`),
    });
    if (report.agreements.length === 0)
      out.warn(
        "the escrow told of no agreement: see that --rpc, --deployment and --from-block are what you mean",
      );
    out.result(report, () => [
      `${report.agreements.length} agreements: ${report.counts.passed} passed, ${report.counts.failed} failed, ${report.counts.incomplete} incomplete`,
      `verdict: ${report.verdict}`,
    ]);
    if (report.verdict === "failed") process.exitCode = ExitCode.failed;
  } finally {
    node.close();
  }
}

async function tampered(out: Output, name: string): Promise<void> {
  const { TAMPERINGS, auditTampered } = await import("../../demo/tampered/list.ts");
  if (name === "list") {
    const listed = TAMPERINGS.map(({ name: known, what, caughtBy }) => ({ name: known, what, caughtBy }));
    out.result(listed, () => listed.map(({ name: known, what }) => `${known}: ${what}`));
    return;
  }
  out.note(`tampering: ${name}, on a chain of its own`);
  const result = await auditTampered(name);
  out.result(result, () => [
    `${name}: ${result.what}`,
    ...checkLines(result.checks),
    `verdict: ${result.verdict}; ${result.caught ? "caught" : "NOT CAUGHT"} by ${result.caughtBy.join(", ")}`,
  ]);
  // Exit code 1, as of any audit that fails; also when it should have.
  process.exitCode = ExitCode.failed;
}

async function run(agreementId: string | undefined, flags: Flags): Promise<void> {
  const out = new Output(flags);
  const named = [agreementId, flags.all, flags.tampered].filter((value) => value !== undefined);
  if (named.length !== 1)
    throw badValue("agreement", "name one agreement, or --all, or --tampered NAME", "deltapay audit --help");
  try {
    if (agreementId !== undefined) await one(out, agreementId, flags);
    else if (flags.all === true) await all(out, flags);
    else await tampered(out, flags.tampered!);
    await endSnarkjs();
  } catch (error) {
    await endSnarkjs();
    if (!(error instanceof AuditError)) throw error;
    const { code, message, field, hint } = error;
    throw new DeltapayError(code, message, {
      ...(field === undefined ? {} : { field }),
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    });
  }
}

export function registerAudit(program: Command): void {
  const every = new Option("--all", "every agreement of the escrow, from chain data");
  every.conflicts(["manifest", "opening", "transcript", "report"]);
  const command = program
    .command("audit")
    .description("check and replay what was settled, from chain data and the files at hand")
    .argument("[agreement]", "id of the agreement", hash)
    .addOption(
      new Option(
        "--rpc <url>",
        "the chain's RPC node (default: a demo left running, else the local node)",
      ).env("DELTAPAY_RPC"),
    )
    .option("--from-block <n>", "read events from this block (default: the deployment's)", wholeNumber(0))
    .option(
      "--deployment <file>",
      "where the contracts are (default: by chain, else where this release puts them)",
    )
    .option("--manifest <place>", "manifest.json with commitments.bin beside it, or the contributor's URL")
    .option("--opening <file>", "opening file of the last receipt")
    .option(
      "--transcript <dir>",
      "the session's passes; repeated: other copies, to say where the first differs",
      several(String),
    )
    .option("--report <file>", "write a page for people to read")
    .addOption(every)
    .option("--state <file>", "with --all: keep what is done, and go on from there")
    .option("--tampered <name>", "tamper with a chain and audit it; `list` names the ways");
  withOutput(command).action(run);
}
