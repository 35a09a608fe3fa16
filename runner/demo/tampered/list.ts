/** `audit --tampered NAME`: a chain or files tampered with, on real parts, and what the audit says. */
import { type AuditReport, audit } from "../../audit/audit.ts";
import { connectNode } from "../../audit/chain/node.ts";
import { findDeployment, readRelease } from "../../audit/release.ts";
import { loadCurve } from "../../protocol/curve.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { CODE_TAMPERINGS } from "./code.ts";
import { FILE_TAMPERINGS } from "./files.ts";
import { Market, type Sale } from "./sale.ts";
import type { Tampered, Tampering } from "./tampering.ts";
import { TOLD_TAMPERINGS } from "./told.ts";

export const TAMPERINGS: readonly Tampering[] = [...CODE_TAMPERINGS, ...TOLD_TAMPERINGS, ...FILE_TAMPERINGS];

export interface TamperedResult {
  name: string;
  what: string;
  /** Whether every check that must fail did, saying why. */
  caught: boolean;
  caughtBy: readonly string[];
  verdict: AuditReport["verdict"];
  checks: AuditReport["checks"];
}

/** Audits a sale as an auditor with these files and this node sees it. */
export async function auditSale(market: Market, sale: Sale, tampered: Tampered = {}): Promise<AuditReport> {
  const files = { ...sale.files, ...tampered.files };
  const node = await connectNode(tampered.rpcUrl ?? market.node.rpcUrl);
  try {
    return await audit({
      node,
      deployment: findDeployment(readRelease(), node.chainId, files.deployment),
      agreementId: sale.agreementId,
      manifest: files.manifest,
      files: { opening: files.opening, transcripts: [files.transcript, ...(tampered.copies ?? [])] },
      onProgress: () => {},
    });
  } finally {
    node.close();
  }
}

/** Tampers, audits, and leaves the chain as it was. */
export async function tryTampering(
  market: Market,
  honest: () => Promise<Sale>,
  tampering: Tampering,
): Promise<TamperedResult> {
  const { name, what, caughtBy, says, terms } = tampering;
  const sale = terms === undefined ? await honest() : await market.sell(terms);
  const snapshot = await market.request<string>("evm_snapshot");
  const tampered = await tampering.tamper(market, sale);
  try {
    const { verdict, checks } = await auditSale(market, sale, tampered);
    const failed = new Map(
      checks.filter(({ result }) => result === "failed").map((check) => [check.name, check]),
    );
    const caught =
      caughtBy.every((check) => failed.has(check)) && says.test(failed.get(caughtBy[0]!)!.detail);
    return { name, what, caught, caughtBy, verdict, checks };
  } finally {
    await tampered.close?.();
    await market.request("evm_revert", [snapshot]);
  }
}

/**
 * Tampers with a sale on a chain of its own and audits it.
 * @throws DeltapayError `audit/unknown-tampering`
 */
export async function auditTampered(name: string): Promise<TamperedResult> {
  const tampering = TAMPERINGS.find((candidate) => candidate.name === name);
  if (tampering === undefined)
    throw new DeltapayError("audit/unknown-tampering", `there is no tampering called '${name}'`, {
      field: "tampered",
      hint: "`deltapay audit --tampered list` names them",
    });
  const market = await Market.open(tampering.chainId);
  try {
    return await tryTampering(market, () => market.sell(), tampering);
  } finally {
    await market.close();
    await (await loadCurve()).terminate();
  }
}
