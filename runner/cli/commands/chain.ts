/** `deltapay chain`: a local Hardhat node until it is stopped. */
import type { Command } from "commander";
import { testAccount } from "../../chain/accounts.ts";
import { connectChain, withAccount } from "../../chain/connect.ts";
import { deploy } from "../../chain/deploy.ts";
import { startLocalNode } from "../../chain/localNode.ts";
import { DeltapayError } from "../../protocol/errors.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/keyTrust.ts";
import { untilStopped } from "../interrupt.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";
import { wholeNumber } from "../parsers.ts";

interface Flags extends OutputFlags {
  port: number;
  deploy?: boolean;
}

/** Accounts shown; a Hardhat node has 20. */
const SHOWN = 5;

async function run(flags: Flags): Promise<void> {
  const out = new Output(flags);
  const node = await startLocalNode({ port: flags.port });
  try {
    const accounts = Array.from({ length: SHOWN }, (_, index) => ({
      index,
      address: testAccount(index).address,
    }));
    const deployed = flags.deploy === true ? await deployOn(node.rpcUrl) : {};
    out.result({ rpcUrl: node.rpcUrl, chainId: LOCAL_CHAIN_ID, accounts, ...deployed }, () => [
      `local chain ${LOCAL_CHAIN_ID} at ${node.rpcUrl}; Ctrl-C ends it and forgets everything`,
      ...accounts.map(({ index, address }) => `  --account ${index}  ${address}  10000 ETH`),
    ]);
    const why = await Promise.race([untilStopped(), node.ended.then(() => "ended" as const)]);
    if (why === "ended") throw new DeltapayError("chain/node-failed", "the local chain ended by itself");
  } finally {
    await node.stop();
  }
}

async function deployOn(rpcUrl: string): Promise<object> {
  const { file, deployment } = await deploy(withAccount(await connectChain({ rpcUrl }), testAccount(0)));
  return { deployment: file, registry: deployment.registry, escrow: deployment.escrow };
}

export function registerChain(program: Command): void {
  const command = program
    .command("chain")
    .description("run a local chain for trying things out (a Hardhat node, chain id 31337)")
    .option("--port <port>", "port on 127.0.0.1", wholeNumber(1, 65_535), 8545)
    .option("--deploy", "deploy the contracts as well");
  withOutput(command).action(run);
}
