/** `deltapay gateway`: the base model and its paid adapters behind OpenAI's API. */
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import type { Command } from "commander";
import type { AdaptedModel } from "../../buyer/model/adaptedModel.ts";
import type { RemoteAdapter } from "../../buyer/session/remoteAdapter.ts";
import type { ChainContext } from "../../chain/connect.ts";
import { readToken, type Token } from "../../chain/erc20.ts";
import { adaptedModel, baseModel } from "../../gateway/models.ts";
import { Purse } from "../../gateway/purse.ts";
import { buildGateway, type Gateway } from "../../gateway/server.ts";
import { loadPlainModel } from "../../model/plainModel.ts";
import { loadTokenizer } from "../../model/tokenizer.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { hasCode } from "../../storage/files.ts";
import { formatAmount, parseAmount } from "../amounts.ts";
import { type ChainFlags, openChain, withChain, withPassphrase } from "../connection.ts";
import { badValue } from "../failure.ts";
import { closing, type DataFlags, openBuyer, withData } from "../folders.ts";
import { type GatewayPlace, gatewayPlace, type PlaceFlags } from "../gatewayPlace.ts";
import { untilStopped } from "../interrupt.ts";
import { Output, type OutputFlags, outliveReaders, withOutput } from "../output.ts";
import { amountText, wholeNumber } from "../parsers.ts";
import { buy, purchaseLines, type UseFlags, withAgreements } from "../remote.ts";

interface Flags extends ChainFlags, DataFlags, PlaceFlags, UseFlags, OutputFlags {
  port: number;
  name?: string;
  tokenizer?: string;
  budget?: string;
}

/** The budget in the smallest unit of the one token that all agreements are paid in. */
function budgetOf(flags: Flags, tokens: readonly Token[]): bigint | undefined {
  if (flags.budget === undefined) return undefined;
  const [token, ...others] = tokens;
  if (others.some(({ address }) => address !== token!.address))
    throw badValue("budget", "the agreements are paid in different tokens", "run one gateway for each token");
  return parseAmount(flags.budget, token!, "budget");
}

/** @returns the URL without a path; @throws DeltapayError `gateway/cannot-listen` */
async function listenAt({ app }: Gateway, { host, port, tlsCert }: Flags): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    if (!["EADDRINUSE", "EADDRNOTAVAIL", "EACCES", "ENOTFOUND"].some((code) => hasCode(cause, code)))
      throw cause;
    throw new DeltapayError("gateway/cannot-listen", `the gateway cannot listen on ${host}, port ${port}`, {
      field: "port",
      hint: "it may be in use: choose another --port, or 0 for any",
      cause,
    });
  }
  const bound = (app.server.address() as AddressInfo).port;
  return `${tlsCert === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${bound}`;
}

async function listen(
  ctx: ChainContext,
  flags: Flags,
  place: GatewayPlace,
  out: Output,
  model: AdaptedModel,
  adapters: readonly RemoteAdapter[],
): Promise<void> {
  const tokenizer = await loadTokenizer(
    flags.tokenizer ?? path.join(path.dirname(flags.model), "tokenizer.json"),
  );
  const tokens = await Promise.all(adapters.map(({ terms }) => readToken(ctx, terms.offer.token)));
  const budget = budgetOf(flags, tokens);
  const purse = new Purse(adapters, budget);
  const name = flags.name ?? path.basename(path.dirname(path.resolve(flags.model)));
  const plain = await loadPlainModel(flags.model);
  const models = [
    adaptedModel(`${name}-adapted`, model, adapters, purse, tokenizer),
    baseModel(name, plain, tokenizer),
  ];
  const gateway = buildGateway({
    ...{ models, tokenizer, purse, ...place },
    onError: (error) => out.note(`failed: ${(error as Error).message}`),
  });
  outliveReaders();
  try {
    const url = `${await listenAt(gateway, flags)}/v1`;
    const result = {
      url,
      models: models.map(({ id, paid }) => ({ id, paid })),
      budget: budget === undefined ? null : String(budget),
    };
    out.result(result, () => [
      `OpenAI-compatible at ${url}; Ctrl-C stops it and signs for what was used`,
      ...models.map(
        ({ id, paid }) => `  model ${id}${paid ? " (paid by the token)" : " (the base model alone, free)"}`,
      ),
      ...(budget === undefined
        ? ["  no budget: up to what was paid in"]
        : [`  budget of this run: ${formatAmount(budget, tokens[0]!)}`]),
    ]);
    await untilStopped();
    out.note(
      "stopping: the pass under way is finished, then a receipt is signed; Ctrl-C again leaves both to the next run",
    );
  } finally {
    await gateway.close();
    await plain.close();
  }
}

async function run(flags: Flags): Promise<void> {
  const out = new Output(flags);
  // Before anything is opened: a mistake here must cost nothing.
  const place = gatewayPlace(flags);
  const ctx = await openChain(flags);
  await closing(await openBuyer(flags), async (data) => {
    const { purchases } = await buy(ctx, data, flags, out, (model, adapters) =>
      listen(ctx, flags, place, out, model, adapters),
    );
    for (const line of await purchaseLines(ctx, data, purchases)) out.note(line);
  });
}

export function registerGateway(program: Command): void {
  const command = program
    .command("gateway")
    .description(
      "an OpenAI-compatible server for the base model with the adapters of one or several agreements",
    );
  withOutput(withData(withPassphrase(withChain(withAgreements(command))), "buyer"))
    .option("--host <address>", "address to listen on; off loopback a key and TLS are needed", "127.0.0.1")
    .option("--port <port>", "port to listen on; 0 for any", wholeNumber(0, 65_535), 7440)
    .option("--name <name>", "the model's name (default: its folder's; NAME-adapted is the paid one)")
    .option("--tokenizer <file>", "tokenizer.json (default: beside the model)")
    .option("--budget <amount>", "most that this run may cost, e.g. 0.01eth", amountText)
    .option("--api-key-file <file>", "file whose first line clients must send as their API key")
    .option("--tls-cert <file>", "TLS certificate, PEM")
    .option("--tls-key <file>", "its private key, PEM")
    .action(run);
}
