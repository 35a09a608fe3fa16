/** `deltapay serve`: the contributor's service until it is stopped. */
import type { Command } from "commander";
import { contributorChain } from "../../contributor/chainAdapter.ts";
import type { ContributorEvent } from "../../contributor/events.ts";
import { openOffers } from "../../contributor/offers.ts";
import { type ServeOptions, serve } from "../../contributor/service.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { stringifyMessage } from "../../wire/messages.ts";
import { chooseAdapter } from "../adapters.ts";
import {
  acceptForgeableOption,
  type ChainFlags,
  openSigningChain,
  withChain,
  withSigner,
} from "../connection.ts";
import { badValue } from "../failure.ts";
import { closing, type DataFlags, openContributor, withData } from "../folders.ts";
import { untilStopped } from "../interrupt.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";
import { seconds, several, wholeNumber } from "../parsers.ts";
import { type AdminFlags, openAdmin, pageLine, withAdmin } from "../serveAdmin.ts";
import { type WithdrawalFlags, withdrawalOf, withWithdrawals } from "../serveWithdrawals.ts";

interface Flags extends AdminFlags, ChainFlags, DataFlags, OutputFlags, WithdrawalFlags {
  adapter?: string[];
  host: string;
  port: number;
  tlsCert?: string;
  tlsKey?: string;
  publicUrl?: string;
  settle: boolean;
  keepTranscript?: boolean;
  margin?: bigint;
  acceptForgeableDevKey?: boolean;
}

function tlsOf({ tlsCert, tlsKey }: Flags): Pick<ServeOptions, "tls"> {
  if (tlsCert === undefined && tlsKey === undefined) return {};
  if (tlsCert === undefined || tlsKey === undefined)
    throw badValue("tls", "certificate and key come together", "give both --tls-cert and --tls-key");
  return { tls: { certFile: tlsCert, keyFile: tlsKey } };
}

/** An event as a line for a person. */
function eventLine(event: ContributorEvent): string {
  const agreement =
    "agreementId" in event && event.agreementId !== null ? `${event.agreementId.slice(0, 10)}… ` : "";
  switch (event.type) {
    case "listening":
      return `listening at ${event.url}`;
    case "session-opened":
      return `${agreement}session opened (${event.passes} passes, ${event.tokens} tokens so far)`;
    case "pass":
      return `${agreement}pass ${event.pass}: ${event.tokens} tokens, ${event.totalTokens} in all, ${event.unpaidTokens} without a receipt`;
    case "receipt":
      return `${agreement}receipt for ${event.passes} passes, ${event.tokens} tokens`;
    case "receipt-refused":
      return `${agreement}receipt REFUSED: ${event.reason}`;
    case "ended":
      return `${agreement}ended: ${event.reason}`;
    case "proving":
      return `${agreement}proof ${event.done} of ${event.total} (${Math.round(event.proveMs)} ms)`;
    case "settling":
      return `${agreement}settling in ${event.txHash}`;
    case "settled":
      return `${agreement}settled: ${event.tokens} tokens, ${event.owed} owed`;
    case "closed":
      return `${agreement}closed: ${event.reason}`;
    case "reopened":
      return `${agreement}was ${event.was}; the chain shows it unpaid: it is settled again`;
    case "withdrawn":
      return `withdrawn: ${event.amount} of ${event.token} to ${event.to}`;
    case "leakage":
      return `${agreement}LEAKAGE: ${event.tokensSold} tokens of ${event.adapterId.slice(0, 10)}… sold to ${event.of === "all" ? "all buyers together" : "this buyer"}, ${event.ratio.toFixed(2)} of what gives it away`;
    case "not-settled-here":
      return `NOT settled by this service, their adapters are not served: ${event.agreementIds.join(", ")}`;
    case "failed":
      return `${agreement}FAILED ${event.doing}: ${event.error.message}${event.error.hint === undefined ? "" : ` (${event.error.hint})`}`;
  }
}

async function run(flags: Flags): Promise<void> {
  const out = new Output(flags);
  const ctx = await openSigningChain(flags);
  await closing(await openContributor(flags), async (data) => {
    const adapters: Hex[] = [];
    for (const name of flags.adapter ?? []) adapters.push((await chooseAdapter(data, ctx, name)).adapterId);
    const service = await serve({
      data,
      chain: contributorChain(ctx),
      account: ctx.account,
      host: flags.host,
      port: flags.port,
      settle: flags.settle,
      keepTranscript: flags.keepTranscript === true,
      acceptForgeableDevKey: flags.acceptForgeableDevKey === true,
      ...tlsOf(flags),
      ...(await withdrawalOf(ctx, flags)),
      ...(adapters.length === 0 ? {} : { adapters }),
      ...(flags.publicUrl === undefined ? {} : { publicUrl: flags.publicUrl }),
      ...(flags.margin === undefined ? {} : { marginSeconds: Number(flags.margin) }),
      onEvent: (event) => out.note(out.json ? stringifyMessage(event) : eventLine(event)),
    });
    const admin = await openAdmin(flags, {
      ...{ data, ctx, service, settles: flags.settle },
      onError: (error) => out.warn(`answering your page failed: ${(error as Error).message}`),
    });
    const served = service.adapters.map(({ adapterId, name }) => ({
      adapterId,
      name,
      offers: openOffers(data, adapterId).length,
    }));
    for (const { adapterId, offers } of served)
      if (offers === 0)
        out.warn(`nobody can open an agreement on ${adapterId}: make an offer (deltapay offer make)`);
    out.result(
      {
        url: service.url,
        contributor: ctx.account.address,
        chainId: ctx.chainId,
        adapters: served,
        ...(admin === undefined ? {} : { admin: { url: admin.url, tokenFile: admin.tokenFile } }),
      },
      () => [
        `serving at ${service.url} for ${ctx.account.address}; Ctrl-C stops it`,
        ...served.map(({ adapterId, name, offers }) => `  ${name}: ${adapterId}, ${offers} offers`),
        ...(admin === undefined ? [] : [pageLine(admin, flags)]),
      ],
    );
    await untilStopped();
    out.note("stopping: what is under way is finished first");
    await admin?.close();
    await service.close();
  });
}

export function registerServe(program: Command): void {
  const command = program
    .command("serve")
    .description(
      "serve registered adapters: offers, sessions, receipts; proves and settles when a session ends",
    )
    .option("--adapter <id|dir>", "which adapter, repeatable (default: all of this account)", several(String))
    .option("--host <address>", "address to listen on; off loopback TLS is needed", "127.0.0.1")
    .option("--port <port>", "port to listen on; 0 for any", wholeNumber(0, 65_535), 7420)
    .option("--tls-cert <file>", "TLS certificate, PEM")
    .option("--tls-key <file>", "its private key, PEM")
    .option("--public-url <url>", "where buyers reach the service, when that is elsewhere")
    .option("--no-settle", "do not prove and settle by itself")
    .option("--keep-transcript", "keep every pass for audits (large)")
    .option("--margin <time>", "stop serving so long before a deadline (default: measured)", seconds)
    .addOption(acceptForgeableOption());
  withOutput(withData(withWithdrawals(withAdmin(withSigner(withChain(command)))), "contributor")).action(run);
}
