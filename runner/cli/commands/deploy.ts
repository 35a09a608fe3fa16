/** `deltapay deploy`: the contracts of this version on any chain. */
import type { Command } from "commander";
import { findAccount, testAccount } from "../../chain/accounts.ts";
import { connectChain, withAccount } from "../../chain/connect.ts";
import type { ChainConnection } from "../../chain/connection.ts";
import { deploy } from "../../chain/deploy.ts";
import { isLocalChain } from "../../chain/localChain.ts";
import { acceptForgeableOption, type ChainFlags, withChain, withSigner } from "../connection.ts";
import { Output, type OutputFlags, table, withOutput } from "../output.ts";

interface Flags extends ChainFlags, OutputFlags {
  acceptForgeableDevKey?: boolean;
}

/** On a local chain the first test account pays unless another is named. */
async function deployer(flags: Flags): Promise<ChainConnection> {
  const connection = await connectChain({ rpcUrl: flags.rpc });
  const named = await findAccount(flags, connection.chainId);
  const account = named ?? (isLocalChain(connection.chainId) ? testAccount(0) : undefined);
  return account === undefined ? connection : withAccount(connection, account);
}

async function run(flags: Flags): Promise<void> {
  const out = new Output(flags);
  const { deployment, file, created, gasUsed } = await deploy(await deployer(flags), {
    ...(flags.deployment === undefined ? {} : { file: flags.deployment }),
    acceptForgeableDevKey: flags.acceptForgeableDevKey === true,
    onContract: (_, done, total) => out.progress.update("contracts", done, total),
  });
  out.result({ ...deployment, file, created, gasUsed }, () => [
    `${created.length === 0 ? "everything was there already" : `${created.length} contracts deployed`} on chain ${deployment.chainId}, ${gasUsed} gas`,
    table(
      ["contract", "address"],
      [
        ["registry", deployment.registry],
        ["escrow", deployment.escrow],
        ...Object.entries(deployment.verifiers).map(([size, { address }]) => [`verifier ${size}`, address]),
      ],
    ),
    `written to ${file}`,
  ]);
}

export function registerDeploy(program: Command): void {
  const command = program
    .command("deploy")
    .description("put the contracts on a chain where they are missing, at the same addresses everywhere")
    .addOption(acceptForgeableOption());
  withOutput(withSigner(withChain(command))).action(run);
}
