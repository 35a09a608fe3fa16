/** `deltapay status`: agreements as the data folders and the chain have them. */
import type { Command } from "commander";
import { zeroAddress } from "viem";
import { buyerChain } from "../../buyer/chainView.ts";
import { agreementStatus } from "../../buyer/follow.ts";
import { type Agreement, credits, readAgreement } from "../../chain/agreements.ts";
import type { ChainContext } from "../../chain/connect.ts";
import { readToken } from "../../chain/erc20.ts";
import { when } from "../../chain/errors.ts";
import { readSettlements } from "../../chain/history.ts";
import { contributorStatus } from "../../contributor/status.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { ensure } from "../../protocol/errors.ts";
import { followContributor } from "../agreements.ts";
import { formatAmount } from "../amounts.ts";
import { type ChainFlags, openChain, withChain, withSigner } from "../connection.ts";
import { badValue } from "../failure.ts";
import {
  chosenFolders,
  closing,
  openBuyer,
  openContributor,
  type Role,
  type RoleFlags,
  withRole,
} from "../folders.ts";
import { type AdapterLeakage, leakageLines, leakageReports } from "../leakage.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";
import { hash, several, wholeNumber } from "../parsers.ts";
import { watch } from "../watch.ts";

interface Flags extends ChainFlags, RoleFlags, OutputFlags {
  contributor?: string[];
  /** Seconds; true: the default. */
  watch?: number | true;
}

/** What one folder knows of an agreement. */
interface Known {
  agreementId: Hex;
  role: Role | null;
  phase: string | null;
  /** Passes and tokens, by the newest receipt of the buyer, or served by the contributor. */
  passes: string | null;
  tokens: string | null;
  reason: string | null;
  /** Tokens served without a receipt; the contributor's only. */
  unpaidTokens: number | null;
}

const knownFromChain = (agreementId: Hex): Known => ({
  agreementId,
  role: null,
  phase: null,
  passes: null,
  tokens: null,
  reason: null,
  unpaidTokens: null,
});

async function fromBuyer(ctx: ChainContext, flags: Flags, out: Output): Promise<Known[]> {
  return closing(await openBuyer(flags), async (data) => {
    for (const url of flags.contributor ?? []) await followContributor(ctx, data, url, out);
    const { store } = data;
    const known: Known[] = [];
    for (const { terms } of store.agreements()) {
      if (terms.chainId !== BigInt(ctx.chainId)) continue;
      const { phase, receipt } = await agreementStatus(buyerChain(ctx), store, terms.agreementId);
      const { passes = 0n, tokens = 0n } = receipt ?? {};
      known.push({
        agreementId: terms.agreementId,
        role: "buyer",
        phase,
        passes: String(passes),
        tokens: String(tokens),
        reason: null,
        unpaidTokens: null,
      });
    }
    return known;
  });
}

async function fromContributor(flags: Flags): Promise<Known[]> {
  return closing(await openContributor(flags), async (data) =>
    contributorStatus(data).agreements.map(
      ({ agreementId, phase, passes, tokens, reason, unpaidTokens }) => ({
        agreementId,
        role: "contributor" as const,
        phase,
        passes: String(passes),
        tokens: String(tokens),
        reason,
        unpaidTokens,
      }),
    ),
  );
}

/** What the contributor's answers give away, adapter by adapter of this chain. */
async function leakage(ctx: ChainContext, flags: Flags): Promise<AdapterLeakage[]> {
  const folder = chosenFolders(flags).find(({ role }) => role === "contributor");
  if (folder === undefined) return [];
  const registry = ctx.deployment.registry.toLowerCase();
  return closing(await openContributor({ ...flags, data: folder.directory }), async (data) =>
    leakageReports(data, (record) => record.chainId === BigInt(ctx.chainId) && record.registry === registry),
  );
}

async function gather(
  ctx: ChainContext,
  flags: Flags,
  wanted: Hex | undefined,
  out: Output,
): Promise<Known[]> {
  const known: Known[] = [];
  for (const { role, directory } of chosenFolders(flags)) {
    const one = { ...flags, data: directory };
    known.push(...(role === "buyer" ? await fromBuyer(ctx, one, out) : await fromContributor(one)));
  }
  if (wanted === undefined) return known;
  const found = known.filter(({ agreementId }) => agreementId === wanted);
  if (found.length > 0) return found;
  const { status } = await readAgreement(ctx, wanted);
  ensure(
    status !== "none",
    "agreement/unknown",
    `neither this machine nor the chain knows agreement ${wanted}`,
    {
      field: "agreement",
      hint: "check the id, the chain (--rpc), the deployment and the data folder (--data)",
    },
  );
  return [knownFromChain(wanted)];
}

async function withChainState(ctx: ChainContext, known: Known) {
  const chain = await readAgreement(ctx, known.agreementId);
  const settlement = chain.paid > 0n ? (await readSettlements(ctx, known.agreementId)).at(-1) : undefined;
  return { ...known, chain, settlement: settlement?.txHash ?? null };
}

async function lines(
  ctx: ChainContext,
  report: Known & { chain: Agreement; settlement: Hex | null },
): Promise<string[]> {
  const { agreementId, role, phase, passes, tokens, reason, chain } = report;
  if (chain.status === "none")
    return [`${agreementId}: not on this chain${phase === null ? "" : ` (here: ${phase})`}`];
  const token = await readToken(ctx, chain.token);
  const amount = (value: bigint): string => formatAmount(value, token);
  return [
    `${agreementId}`,
    `  on chain: ${chain.status}, ${amount(chain.paid)} of ${amount(chain.amount)} paid, deadline ${when(chain.deadline)}`,
    ...(role === null
      ? []
      : [
          `  as ${role}: ${phase}${reason === null ? "" : ` (${reason})`}, ${passes} passes, ${tokens} tokens${report.unpaidTokens === null ? "" : `, ${report.unpaidTokens} without a receipt`}`,
        ]),
    `  buyer ${chain.buyer}, contributor ${chain.contributor}`,
    ...(report.settlement === null ? [] : [`  settled in ${report.settlement}`]),
  ];
}

interface Report {
  document: object;
  described: string[];
}

async function report(wanted: Hex | undefined, flags: Flags, out: Output): Promise<Report> {
  const ctx = await openChain(flags);
  const agreements = [];
  for (const known of await gather(ctx, flags, wanted, out))
    agreements.push(await withChainState(ctx, known));
  const account = ctx.account?.address ?? null;
  const credit = account === null ? null : await credits(ctx, zeroAddress, account);
  const described: string[] = [];
  for (const agreement of agreements) described.push(...(await lines(ctx, agreement)));
  if (described.length === 0) described.push("no agreements here");
  if (credit !== null)
    described.push(`${account} can withdraw ${formatAmount(credit, await readToken(ctx, zeroAddress))}`);
  const exposed = wanted === undefined ? await leakage(ctx, flags) : [];
  described.push(...exposed.flatMap(leakageLines));
  return { document: { chainId: ctx.chainId, agreements, account, credit, leakage: exposed }, described };
}

async function run(wanted: Hex | undefined, flags: Flags): Promise<void> {
  const out = new Output(flags);
  if (flags.watch === undefined) {
    const { document, described } = await report(wanted, flags, out);
    out.result(document, () => described);
    return;
  }
  if (out.json)
    throw badValue("watch", "--json prints one document, --watch goes on", "leave one of them out");
  const seconds = flags.watch === true ? WATCH_SECONDS : flags.watch;
  await watch(async () => (await report(wanted, flags, out)).described, seconds, process.stdout);
}

const WATCH_SECONDS = 2;

export function registerStatus(program: Command): void {
  const command = program
    .command("status")
    .description("agreements here and on chain, and what an account can withdraw")
    .argument("[agreement]", "one agreement (default: all known here)", hash);
  withOutput(withRole(withSigner(withChain(command))))
    .option(
      "--contributor <url>",
      "as buyer: follow this contributor to a new certificate or URL, repeatable",
      several(String),
    )
    .option(
      "--watch [seconds]",
      `draw it again and again (default: every ${WATCH_SECONDS} s)`,
      wholeNumber(1, 3600),
    )
    .action(run);
}
