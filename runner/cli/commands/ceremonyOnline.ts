/** `deltapay ceremony serve` and `join`: a ceremony over HTTP. */
import type { Command } from "commander";
import { CeremonyFolder } from "../../ceremony/folder.ts";
import { loadCurve } from "../../protocol/curve.ts";
import { onProgress, type PtauFlags, typedEntropy, withPtau } from "../ceremonyFlags.ts";
import { untilStopped } from "../interrupt.ts";
import { Output } from "../output.ts";
import { timeOption, wholeNumber } from "../parsers.ts";

interface ServeFlags extends PtauFlags {
  host: string;
  port: number;
  turn: bigint;
  silence: bigint;
  trustProxy?: boolean;
  page: boolean;
}

interface JoinFlags extends PtauFlags {
  name: string;
  dir: string;
}

async function serve(directory: string, flags: ServeFlags): Promise<void> {
  const out = new Output(flags);
  const { Coordinator } = await import("../../ceremony/coordinator/coordinator.ts");
  const { serveCoordinator } = await import("../../ceremony/coordinator/server.ts");
  const coordinator = await Coordinator.open(await loadCurve(), new CeremonyFolder(directory), {
    acceptUnknownPtau: flags.acceptUnknownPtau === true,
    limits: { turnSeconds: Number(flags.turn), silenceSeconds: Number(flags.silence) },
    onProgress: onProgress(out),
    onEvent: (text) => out.note(text),
  });
  const { buildPage, servePage } = await import("../../ceremony/coordinator/page.ts");
  const page = flags.page ? await buildPage() : undefined;
  const server = await serveCoordinator(
    coordinator,
    { host: flags.host, port: flags.port, trustProxy: flags.trustProxy === true },
    (app) => {
      if (page !== undefined) servePage(app, page);
    },
  );
  const { round, parameters } = coordinator.view();
  const sizes = parameters.keys.map(({ size }) => size);
  out.result({ url: server.url, round, sizes, pageSha256: page?.sha256 ?? null }, () => [
    `the ceremony is at ${server.url}, ${round} rounds so far; Ctrl-C stops it, and it can be served again`,
    `take part: deltapay ceremony join ${server.url} --name NAME${page === undefined ? "" : ", or open it in a browser"}`,
  ]);
  await untilStopped();
  await server.close();
}

async function join(url: string, flags: JoinFlags): Promise<void> {
  const out = new Output(flags);
  const { secretStep } = await import("../../ceremony/step.ts");
  const { joinCeremony } = await import("../../ceremony/join.ts");
  const { round, attestation } = await joinCeremony(await loadCurve(), {
    url,
    directory: flags.dir,
    name: flags.name,
    step: secretStep(flags.name, await typedEntropy(out)),
    acceptUnknownPtau: flags.acceptUnknownPtau === true,
    onProgress: onProgress(out),
    onWait: (before) => out.note(`${before} before you`),
  });
  out.result({ round, attestation, directory: flags.dir }, () => [
    attestation,
    `taken as round ${round}; publish this text, signed if you can; the secrets are gone`,
  ]);
}

export function registerCoordinator(ceremony: Command): void {
  withPtau(ceremony.command("serve").description("coordinate one over HTTP: a queue, one turn at a time"))
    .argument("<dir>", "folder of the ceremony")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <port>", "port to listen on; 0 for any", wholeNumber(0, 65_535), 7450)
    .addOption(timeOption("--turn <time>", "how long a turn may take", "30m"))
    .addOption(timeOption("--silence <time>", "after how long without a word somebody has left", "60s"))
    .option("--no-page", "without the page for browsers")
    .option("--trust-proxy", "behind one proxy: a client's address is the last of its X-Forwarded-For")
    .action(serve);
  withPtau(ceremony.command("join").description("take part in one that is served somewhere"))
    .argument("<url>", "the coordinator")
    .requiredOption("--name <name>", "who you are, for the record")
    .option("--dir <dir>", "folder for what is fetched and made", "deltapay-ceremony")
    .action(join);
}
