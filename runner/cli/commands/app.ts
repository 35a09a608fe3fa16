/** `deltapay app`: the wallet UI until it is stopped, with a local chain when none is given. */
import type { Command } from "commander";
import { testAccount } from "../../chain/accounts.ts";
import { type ChainContext, connect, connectChain, withAccount } from "../../chain/connect.ts";
import { deploy } from "../../chain/deploy.ts";
import { isLocalChain } from "../../chain/localChain.ts";
import { type LocalNode, startLocalNode } from "../../chain/localNode.ts";
import { adminToken } from "../../contributor/admin/token.ts";
import { DeltapayError, ensure } from "../../protocol/errors.ts";
import { ensureBuilt } from "../../web/build.ts";
import { startAppServer } from "../../web/server.ts";
import { DEFAULT_ADMIN_PORT, DEFAULT_APP_PORT } from "../../wire/admin.ts";
import { stringifyMessage } from "../../wire/messages.ts";
import { defaultDataDirectory } from "../folders.ts";
import { untilStopped } from "../interrupt.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";
import { httpUrl, wholeNumber } from "../parsers.ts";

interface Flags extends OutputFlags {
  port: number;
  rpc?: string;
  deployment?: string;
  chainPort: number;
  admin?: string | true;
  data: string;
  explorer?: string;
  demoWallet?: boolean;
}

interface Chain {
  ctx: ChainContext;
  /** The node when it was started here. */
  node?: LocalNode;
}

/** The chain named, or a new local one with the contracts on it. */
async function openChain(out: Output, flags: Flags): Promise<Chain> {
  const file = flags.deployment === undefined ? {} : { deploymentFile: flags.deployment };
  if (flags.rpc !== undefined) return { ctx: await connect({ rpcUrl: flags.rpc, ...file }) };
  out.note("starting a local chain (Hardhat)");
  const node = await startNode(flags.chainPort);
  try {
    const { rpcUrl } = node;
    const at = flags.deployment === undefined ? {} : { file: flags.deployment };
    await deploy(withAccount(await connectChain({ rpcUrl }), testAccount(0)), at);
    return { ctx: await connect({ rpcUrl, ...file }), node };
  } catch (error) {
    await node.stop();
    throw error;
  }
}

async function startNode(port: number): Promise<LocalNode> {
  try {
    return await startLocalNode(port === 0 ? {} : { port });
  } catch (error) {
    if (!(error instanceof DeltapayError) || error.code !== "chain/port-taken") throw error;
    throw new DeltapayError(error.code, error.message, {
      field: "chain-port",
      hint: `use the chain that runs there with --rpc http://127.0.0.1:${port}, or another --chain-port (0 for any)`,
      cause: error,
    });
  }
}

function serviceOf({ admin, data }: Flags): { adminUrl: string; token: string } | undefined {
  if (admin === undefined) return undefined;
  const adminUrl = admin === true ? `http://127.0.0.1:${DEFAULT_ADMIN_PORT}` : admin;
  return { adminUrl, token: adminToken(data) };
}

async function run(flags: Flags): Promise<void> {
  const out = new Output(flags);
  const directory = await ensureBuilt(() => out.note("building the page"));
  const { ctx, node } = await openChain(out, flags);
  try {
    const { chainId, rpcUrl, deployment } = ctx;
    ensure(
      flags.demoWallet !== true || isLocalChain(chainId),
      "app/not-local",
      "the demo wallet is for a local chain",
      {
        field: "demo-wallet",
        hint: "use a wallet of your own on this chain",
      },
    );
    const service = serviceOf(flags);
    const page = await startAppServer({ directory, port: flags.port, demoWallet: flags.demoWallet === true });
    page.configure({
      ...{ chainId, rpcUrl },
      deployment: JSON.parse(stringifyMessage(deployment)) as Record<string, unknown>,
      services: service === undefined ? [] : [{ adminUrl: service.adminUrl }],
      ...(flags.explorer === undefined ? {} : { explorerUrl: flags.explorer }),
    });
    const contributorUrl = service && `${page.url}/#/contributor?token=${service.token}`;
    out.result(
      { url: page.url, chainId, rpcUrl, ...(contributorUrl === undefined ? {} : { contributorUrl }) },
      () => [
        `the page is at ${page.url}; Ctrl-C ends it${node === undefined ? "" : " and its chain"}`,
        `  chain ${chainId} at ${rpcUrl}`,
        ...(contributorUrl === undefined ? [] : [`  as contributor: ${contributorUrl}`]),
      ],
    );
    const ended = node?.ended.then(() => "ended" as const) ?? new Promise<never>(() => {});
    const why = await Promise.race([untilStopped(), ended]);
    await page.close();
    if (why === "ended") throw new DeltapayError("chain/node-failed", "the local chain ended by itself");
  } finally {
    await node?.stop();
  }
}

export function registerApp(program: Command): void {
  const command = program
    .command("app")
    .description(
      "serve the wallet UI: submit proofs, follow agreements, withdraw; with a local chain when none is given",
    )
    .option("--port <port>", "port on 127.0.0.1; 0 for any", wholeNumber(0, 65_535), DEFAULT_APP_PORT)
    .option("--rpc <url>", "the chain's RPC node (default: start a local chain)", httpUrl)
    .option("--deployment <file>", "where the contracts are (default: deployments/<chainId>/deployment.json)")
    .option(
      "--chain-port <port>",
      "port of the local chain started here; 0 for any",
      wholeNumber(0, 65_535),
      8545,
    )
    .option("--admin [url]", "your own service, run with `serve --admin`", httpUrl)
    .option("--data <dir>", "its data folder, for the token", defaultDataDirectory("contributor"))
    .option("--explorer <url>", "block explorer for links", httpUrl)
    .option("--demo-wallet", "on a local chain: a wallet of its public test accounts");
  withOutput(command).action(run);
}
