/** `deltapay adapter`: look at a PEFT adapter, register it, list what is registered. */
import * as path from "node:path";
import type { Command } from "commander";
import { type Inspection, inspectAdapter } from "../../adapter/inspect.ts";
import { loadPeftAdapter } from "../../adapter/peft.ts";
import { ETH } from "../../chain/erc20.ts";
import { listAdapters } from "../../contributor/adapters.ts";
import { contributorChain } from "../../contributor/chainAdapter.ts";
import { registerPeftAdapter } from "../../contributor/register.ts";
import { ensureKey } from "../../keys/load.ts";
import type { ModulesPerProof } from "../../protocol/groups.ts";
import { type AdapterLayout, layoutModules } from "../../protocol/layout.ts";
import { leastPrice } from "../../protocol/leakage.ts";
import { formatAmount, parseAmount } from "../amounts.ts";
import {
  acceptForgeableOption,
  type ChainFlags,
  gasOf,
  openSigningChain,
  withChain,
  withPassphrase,
  withSigner,
} from "../connection.ts";
import { closing, type DataFlags, makeContributor, openContributor, withData } from "../folders.ts";
import { duration, Output, type OutputFlags, table, withOutput } from "../output.ts";
import { amountText, modulesPerProof, nodeChoice } from "../parsers.ts";

interface InspectFlags extends OutputFlags {
  worth?: string;
  model: string;
  modulesPerProof: ModulesPerProof;
  node?: Record<string, string>;
}

interface RegisterFlags extends InspectFlags, ChainFlags, DataFlags {
  uri?: string;
  acceptForgeableDevKey?: boolean;
}

function withModel(command: Command): Command {
  return command
    .argument("<dir>", "PEFT folder: adapter_config.json and adapter_model.safetensors")
    .requiredOption("--model <file>", "the base model, ONNX")
    .option("--modules-per-proof <n>", "modules one proof covers: a number, or all", modulesPerProof, 1)
    .option(
      "--node <module=node>",
      "the node a module attaches to, where it is not found by itself",
      nodeChoice,
    );
}

function inspection(dir: string, { model, modulesPerProof, node }: InspectFlags): Promise<Inspection> {
  return inspectAdapter({
    dir,
    modelPath: model,
    modulesPerProof,
    ...(node === undefined ? {} : { nodes: node }),
  });
}

function moduleTable({ modules }: Inspection): string {
  return table(
    ["module", "node", "d_in", "d_out", "r", "group", "error"],
    modules.map(({ name, node, shape: [dIn, dOut, r], group, quantisation }) => [
      name,
      node,
      dIn,
      dOut,
      r,
      group,
      `${(100 * quantisation.relativeError).toFixed(2)} %`,
    ]),
  );
}

async function inspect(dir: string, flags: InspectFlags): Promise<void> {
  const found = await inspection(dir, flags);
  const worth = flags.worth === undefined ? null : parseAmount(flags.worth, ETH, "worth");
  const price = worth === null ? null : leastPrice(layoutOf(found), worth);
  new Output(flags).result({ ...found, leakage: { ...found.leakage, leastPrice: price } }, () => [
    `${found.adapter.name}: ${found.modules.length} modules on ${found.model.name}`,
    moduleTable(found),
    `${found.groups} proofs a receipt, under the key of ${found.keySize} slots`,
    `registration: ${found.commitments} commitments, ${(found.manifestBytes / 1e6).toFixed(2)} MB, about ${duration(found.estimatedRegistrationMs)}`,
    `leakage: a buyer who chooses its inputs recovers the narrowest module from about ${found.leakage.dInHalf} tokens`,
    price === null
      ? "price: --worth AMOUNT computes the least price of a token from what the adapter is worth to you"
      : `price: worth ${formatAmount(worth!, ETH)}, it must bring at least ${formatAmount(price, ETH)} a token`,
  ]);
}

function layoutOf({ modules, keySize }: Inspection): AdapterLayout {
  return layoutModules(
    modules.map(({ name, shape: [dIn, dOut, r], group }) => ({ name, dIn, dOut, r, group })),
    keySize,
  );
}

/** What the manifest says of the base model. */
function baseModel({ adapter, model }: Inspection): { name: string; sha256: `0x${string}` } {
  return { name: adapter.baseModel ?? model.name, sha256: `0x${model.sha256}` };
}

async function register(dir: string, flags: RegisterFlags): Promise<void> {
  const out = new Output(flags);
  const ctx = await openSigningChain(flags);
  const found = await inspection(dir, flags);
  await ensureKey(found.keySize, {
    onProgress: (step, done, total) => out.progress.update(`key: ${step}`, done, total),
  });
  const started = performance.now();
  await closing(await makeContributor(flags), async (data) => {
    const registered = await registerPeftAdapter({
      data,
      chain: contributorChain(ctx),
      contributor: ctx.account.address,
      adapter: await loadPeftAdapter(dir),
      modulesPerProof: flags.modulesPerProof,
      baseModel: baseModel(found),
      acceptForgeableDevKey: flags.acceptForgeableDevKey === true,
      ...(flags.uri === undefined ? {} : { uri: flags.uri }),
      onProgress: (done, total) => out.progress.update("modules committed", done, total),
    });
    const { adapterId, manifest, txHash, resumed, seedWarning } = registered;
    const registerMs = performance.now() - started;
    if (!resumed) out.warn(seedWarning);
    const result = {
      adapterId,
      txHash,
      gasUsed: txHash === null ? null : await gasOf(ctx, txHash),
      resumed,
      contributor: ctx.account.address,
      vkHash: manifest.vkHash,
      keySize: manifest.keySize,
      groups: manifest.groups,
      modules: found.modules.map(({ name, node, shape, group }) => ({ name, node, shape, group })),
      commitmentsBytes: manifest.commitments.bytes,
      registerMs,
      data: path.resolve(data.directory),
      warnings: out.warnings,
    };
    out.result(result, () => [
      moduleTable(found),
      `${resumed ? "registered before" : "registered"} in ${duration(registerMs)}, ${result.groups} proofs a receipt`,
      `adapter ${adapterId}`,
    ]);
  });
}

async function list(flags: DataFlags & OutputFlags): Promise<void> {
  await closing(await openContributor(flags), async (data) => {
    const adapters = listAdapters(data);
    new Output(flags).result(adapters, () => [
      table(
        ["adapter", "name", "chain", "registered"],
        adapters.map(({ adapterId, name, chainId, registered }) => [
          adapterId,
          name,
          String(chainId),
          registered ? "yes" : "unfinished",
        ]),
      ),
    ]);
  });
}

export function registerAdapter(program: Command): void {
  const adapter = program.command("adapter").description("PEFT LoRA adapters: inspect, register, list");
  const look = adapter
    .command("inspect")
    .description("what an adapter would be as a product; needs no chain");
  withOutput(withModel(look))
    .option(
      "--worth <amount>",
      "what the adapter is worth to you, like 2eth: the least price of a token",
      amountText,
    )
    .action(inspect);
  const add = adapter
    .command("register")
    .description("quantise, commit, write the manifest, register on chain");
  withOutput(withData(withSigner(withChain(withModel(add))), "contributor"))
    .option("--uri <url>", "where the manifest will be served, for the registry's event")
    .addOption(acceptForgeableOption())
    .action(register);
  const show = adapter.command("list").description("adapters registered from this data folder");
  withOutput(withPassphrase(withData(show, "contributor"))).action(list);
}
