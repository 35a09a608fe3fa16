/** The audit of one agreement: every check in order, from chain data first, then with the files at hand. */

import { type History, readHistory } from "./chain/history.ts";
import type { ChainNode } from "./chain/node.ts";
import { checkOffer, checkOpening, checkRegistration, checkTransactions } from "./checks/agreement.ts";
import { checkCode, checkKey, checkKeyTrust } from "./checks/code.ts";
import { checkEvents, checkLedger, checkMoney, checkToken } from "./checks/money.ts";
import { checkBatches, checkPairings, checkSnarkjs } from "./checks/proofs.ts";
import { checkGroups, checkReceipts } from "./checks/receipts.ts";
import { Session, type SessionFiles } from "./checks/session.ts";
import { Weights } from "./checks/weights.ts";
import type { Module } from "./formats/manifest.ts";
import type { Hex } from "./primitives/bytes.ts";
import { type Deployment, type Release, readRelease } from "./release.ts";
import { operatorEvents } from "./replay/course.ts";
import { type ReplayNetwork, startReplayNetwork } from "./replay/network.ts";
import { checkReplay } from "./replay/replay.ts";
import { Subject } from "./subject.ts";
import { type Summary, summaryOf } from "./summary.ts";
import { type Check, Checks, once, type Verdict, verdictOf } from "./verdict.ts";

/** Told what goes on: `done` of `total` of what `label` names. */
export type OnProgress = (label: string, done: number, total: number) => void;

export interface AuditOptions {
  node: ChainNode;
  deployment: Deployment;
  /** Default: the deployment's start block. */
  fromBlock?: bigint;
  agreementId: Hex;
  /** `--manifest`; default: the service the registration names. */
  manifest?: string;
  files: SessionFiles;
  /** Read once where several agreements are audited. */
  history?: History;
  release?: Release;
  onProgress: OnProgress;
}

export interface AuditReport {
  verdict: Verdict;
  agreementId: Hex;
  chainId: bigint;
  /** Everything is as of this block. */
  block: bigint;
  checks: Check[];
  summary: Summary;
  /** Of the manifest; null when it could not be had or is not the registered one. */
  modules: Module[] | null;
}

/**
 * Audits an agreement.
 * @throws AuditError when it cannot begin: no such agreement, no node
 */
export async function audit(options: AuditOptions): Promise<AuditReport> {
  const { node, deployment, agreementId, onProgress, release = readRelease() } = options;
  const { registry, escrow, startBlock } = deployment;
  const from = options.fromBlock ?? startBlock;
  const history =
    options.history ??
    (await readHistory(node, { registry, escrow }, from, (done, total) =>
      onProgress("reading events", done, total),
    ));
  const subject = new Subject({ node, release, history, startBlock, agreementId });
  const checks = new Checks((name) => onProgress(name, 0, 0));
  const network = once(() => networkFor(subject));
  let modules: Module[] | null = null;
  try {
    await checkChain(subject, checks, network, onProgress);
    modules = await checkFiles(subject, checks, options);
  } finally {
    await network().then(
      (started) => started.close(),
      () => {},
    );
  }
  const verdict = verdictOf(checks.list);
  const { chainId, block } = node;
  return {
    verdict,
    agreementId,
    chainId,
    block,
    checks: checks.list,
    summary: await summaryOf(subject),
    modules,
  };
}

/** The release's registry, escrow and, where it is of the release, the adapter's verifier on a fresh network. */
async function networkFor(subject: Subject): Promise<ReplayNetwork> {
  const { release, node } = subject;
  const { verifier } = await subject.registered();
  // operators may have been set long before the adapter was registered
  const replayed = [await subject.registeredEvent(), ...(await operatorEvents(subject))];
  const first = subject.history.events.find((event) => replayed.includes(event))!;
  const { timestamp } = await subject.transaction(first.log.transactionHash);
  const verifiers = release.verifiers.filter(({ address }) => address === verifier);
  return startReplayNetwork(node.chainId, timestamp, [release.registry, release.escrow, ...verifiers]);
}

/** From chain data alone. */
async function checkChain(
  subject: Subject,
  checks: Checks,
  network: () => Promise<ReplayNetwork>,
  onProgress: OnProgress,
): Promise<void> {
  const progress = (label: string) => (done: number, total: number) => onProgress(label, done, total);
  await checks.run("code", async () => checkCode(subject, await network()));
  await checks.run("key", () => checkKey(subject));
  await checks.run("key-trust", () => checkKeyTrust(subject));
  await checks.run("transactions", () => checkTransactions(subject));
  await checks.run("registration", () => checkRegistration(subject));
  await checks.run("offer", () => checkOffer(subject));
  await checks.run("agreement", () => checkOpening(subject));
  await checks.run("receipts", () => checkReceipts(subject));
  await checks.run("groups", () => checkGroups(subject));
  await checks.run("proofs-pairing", () => checkPairings(subject, progress("proofs, by noble-curves")));
  await checks.run("proofs-snarkjs", () => checkSnarkjs(subject, progress("proofs, by snarkjs")));
  await checks.run("batches", () => checkBatches(subject));
  await checks.run("events", () => checkEvents(subject));
  await checks.run("money", () => checkMoney(subject));
  await checks.run("ledger", () => checkLedger(subject));
  await checks.run("token", () => checkToken(subject));
  await checks.run("replay", async () => checkReplay(subject, await network(), progress("replaying")));
}

/** With what the contributor publishes and what the parties keep. @returns the manifest's modules */
async function checkFiles(subject: Subject, checks: Checks, options: AuditOptions): Promise<Module[] | null> {
  const { onProgress, manifest, files } = options;
  const weights = new Weights(subject, manifest);
  weights.onPoints = (done, total) => onProgress("commitments", done, total);
  const session = new Session(subject, weights, files);
  session.onPass = (done, total) => onProgress("folding passes", done, total);
  await checks.run("manifest", () => weights.checkManifest());
  await checks.run("commitments", () => weights.checkCommitments());
  await checks.run("knowledge", () =>
    weights.checkKnowledge((done, total) => onProgress("proofs of knowledge", done, total)),
  );
  if (files.transcripts.length > 0) await checks.run("transcript", () => session.checkTranscript());
  if (files.opening !== undefined) await checks.run("opening", () => session.checkOpening());
  await checks.run("statements", () =>
    session.checkStatements((done, total) => onProgress("statements", done, total)),
  );
  return weights.manifest().then(
    ({ modules }) => modules,
    () => null,
  );
}
