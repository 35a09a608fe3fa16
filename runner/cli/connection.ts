/** Options of every command that talks to the chain, and the connection they give. */
import { type Command, Option } from "commander";
import { accountMissing } from "../chain/accountMissing.ts";
import { type AccountOptions, findAccount } from "../chain/accounts.ts";
import {
  type ChainContext,
  connectChain,
  DEFAULT_RPC_URL,
  withAccount,
  withDeployment,
} from "../chain/connect.ts";
import type { ChainConnection } from "../chain/connection.ts";
import { onChain } from "../chain/errors.ts";
import type { Hex } from "../protocol/bytes.ts";
import { wholeNumber } from "./parsers.ts";

export interface ChainFlags extends AccountOptions {
  rpc: string;
  deployment?: string;
}

/** A connection that can sign. */
export type Signing<Connection extends ChainConnection> = Connection &
  Required<Pick<ChainConnection, "account">>;

/** Adds --rpc and --deployment. */
export function withChain(command: Command): Command {
  const rpc = new Option("--rpc <url>", "the chain's RPC node").env("DELTAPAY_RPC").default(DEFAULT_RPC_URL);
  return command
    .addOption(rpc)
    .option(
      "--deployment <file>",
      "where the contracts are (default: deployments/<chainId>/deployment.json)",
    );
}

/** Adds --account, --keystore and --passphrase-file. */
export function withSigner(command: Command): Command {
  return withPassphrase(
    command
      .option("--account <n>", "test account of a local chain, 0 to 19", wholeNumber(0, 19))
      .option("--keystore <file>", "the account's keystore file; or its key in DELTAPAY_PRIVATE_KEY"),
  );
}

/** --accept-forgeable-dev-key, of every command that refuses such a key off a local chain. */
export function acceptForgeableOption(): Option {
  return new Option(
    "--accept-forgeable-dev-key",
    "off a local chain: anyone can forge proofs and take what buyers pay in",
  );
}

/** Adds --passphrase-file. */
export function withPassphrase(command: Command): Command {
  return command.option(
    "--passphrase-file <file>",
    "file with the passphrase of keystore and data folder; or DELTAPAY_PASSPHRASE",
  );
}

/** The chain, with the account named, if any. */
export async function openConnection(flags: ChainFlags): Promise<ChainConnection> {
  const connection = await connectChain({ rpcUrl: flags.rpc });
  const account = await findAccount(flags, connection.chainId);
  return account === undefined ? connection : withAccount(connection, account);
}

/** The chain with its contracts, and the account named, if any. */
export async function openChain(flags: ChainFlags): Promise<ChainContext> {
  return withDeployment(await openConnection(flags), flags.deployment);
}

/** The chain with its contracts and an account. @throws DeltapayError `account/missing` */
export async function openSigningChain(flags: ChainFlags): Promise<Signing<ChainContext>> {
  const { account, ...ctx } = await openChain(flags);
  if (account === undefined) throw accountMissing(ctx.chainId);
  return { ...ctx, account };
}

/** Gas a mined transaction used. */
export async function gasOf(ctx: ChainContext, txHash: Hex): Promise<bigint> {
  return (await onChain(ctx, () => ctx.publicClient.getTransactionReceipt({ hash: txHash }))).gasUsed;
}
