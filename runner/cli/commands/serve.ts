/** `deltapay serve`: the contributor's service until it is stopped. */
import type { Command } from "commander";
import { contributorChain } from "../../contributor/chainAdapter.ts";
import { openOffers } from "../../contributor/offers.ts";
import { type ServeOptions, serve } from "../../contributor/service.ts";
import type { Hex } from "../../protocol/bytes.ts";
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
import { type LogFlags, openLog, withLog } from "../serveLog.ts";
import { type OperationsFlags, ServeOperations, withOperations } from "../serveOperations.ts";
import { type WithdrawalFlags, withdrawalOf, withWithdrawals } from "../serveWithdrawals.ts";

interface Flags
  extends AdminFlags,
    ChainFlags,
    DataFlags,
    LogFlags,
    OperationsFlags,
    OutputFlags,
    WithdrawalFlags {
  adapter?: string[];
  host: string;
  port: number;
  tlsCert?: string;
  tlsKey?: string;
  publicUrl?: string;
  settle: boolean;
  keepTranscript?: boolean;
  margin?: bigint;
  endIdle?: bigint;
  acceptForgeableDevKey?: boolean;
}

function tlsOf({ tlsCert, tlsKey }: Flags): Pick<ServeOptions, "tls"> {
  if (tlsCert === undefined && tlsKey === undefined) return {};
  if (tlsCert === undefined || tlsKey === undefined)
    throw badValue("tls", "certificate and key come together", "give both --tls-cert and --tls-key");
  return { tls: { certFile: tlsCert, keyFile: tlsKey } };
}

async function run(flags: Flags): Promise<void> {
  const out = new Output(flags);
  const log = openLog(flags, out);
  const ctx = await openSigningChain(flags);
  await closing(await openContributor(flags), async (data) => {
    const adapters: Hex[] = [];
    for (const name of flags.adapter ?? []) adapters.push((await chooseAdapter(data, ctx, name)).adapterId);
    const operations = new ServeOperations(data);
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
      ...(flags.endIdle === undefined ? {} : { idleSeconds: Number(flags.endIdle) }),
      ...(flags.margin === undefined ? {} : { marginSeconds: Number(flags.margin) }),
      onEvent: (event) => {
        log.event(event);
        operations.metrics.event(event);
      },
      onAnswer: (answered) => {
        log.answered(answered);
        operations.metrics.answered(answered);
      },
    });
    const opened = await operations.open(flags, service);
    const admin = await openAdmin(flags, {
      ...{ data, ctx, service, settles: flags.settle },
      onError: (error) => log.warn(`answering your page failed: ${(error as Error).message}`),
    });
    const served = service.adapters.map(({ adapterId, name }) => ({
      adapterId,
      name,
      offers: openOffers(data, adapterId).length,
    }));
    for (const { adapterId, offers } of served)
      if (offers === 0)
        log.warn(`nobody can open an agreement on ${adapterId}: make an offer (deltapay offer make)`);
    out.result(
      {
        url: service.url,
        contributor: ctx.account.address,
        chainId: ctx.chainId,
        adapters: served,
        ...(opened === undefined ? {} : { operations: { url: opened.url } }),
        ...(admin === undefined ? {} : { admin: { url: admin.url, tokenFile: admin.tokenFile } }),
      },
      () => [
        `serving at ${service.url} for ${ctx.account.address}; Ctrl-C stops it`,
        ...served.map(
          ({ adapterId, name, offers }) =>
            `  ${name}: ${adapterId}, ${offers} ${offers === 1 ? "offer" : "offers"}`,
        ),
        ...(opened === undefined ? [] : [`metrics and health at ${opened.url}`]),
        ...(admin === undefined ? [] : [pageLine(admin, flags)]),
      ],
    );
    await untilStopped();
    log.note("stopping: what is under way is finished first");
    await admin?.close();
    await service.close();
    await opened?.close();
    log.note("stopped");
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
    .option(
      "--end-idle <time>",
      "end, and settle, agreements whose buyer asked for nothing for so long (default: their deadline does)",
      seconds,
    )
    .addOption(acceptForgeableOption());
  for (const add of [withChain, withSigner, withAdmin, withWithdrawals, withOperations, withLog])
    add(command);
  withOutput(withData(command, "contributor")).action(run);
}
