/** `deltapay keys`: build, list and verify the proving keys, and the contracts that hold them. */
import * as path from "node:path";
import { type Command, Option } from "commander";
import { connectChain } from "../../chain/connect.ts";
import { deploymentPath, loadDeployment } from "../../chain/deployment.ts";
import { type Fact, verifyDeployment } from "../../chain/verifyDeployment.ts";
import { buildKeys, listKeys } from "../../keys/commands.ts";
import { type KeyCheck, verifyKey } from "../../keys/verifyKey.ts";
import { KEY_SIZES } from "../../protocol/key.ts";
import { type ChainFlags, withChain } from "../connection.ts";
import { ExitCode } from "../failure.ts";
import { duration, Output, type OutputFlags, table, withOutput } from "../output.ts";
import { several, wholeNumber } from "../parsers.ts";

interface Flags extends OutputFlags {
  size?: number[];
}

const SIZES = KEY_SIZES.join(", ");

async function build(flags: Flags): Promise<void> {
  const out = new Output(flags);
  const started = performance.now();
  const keys = await buildKeys(flags.size ?? [510], {
    onProgress: (step, done, total) => out.progress.update(step, done, total),
  });
  out.result(keys, () => [
    ...keys.map(({ size, vkHash, paths }) => `key ${size}: ${vkHash}\n  ${paths.directory}`),
    `ready in ${duration(performance.now() - started)}`,
  ]);
}

function list(flags: OutputFlags): void {
  const keys = listKeys();
  new Output(flags).result(keys, () => [
    table(
      ["slots", "state", "constraints", "built", "vkHash"],
      keys.map(({ size, state, constraints, built, vkHash }) => [
        size,
        state,
        constraints,
        built ? "yes" : "no",
        vkHash,
      ]),
    ),
  ]);
}

interface VerifyFlags extends Flags, Pick<ChainFlags, "rpc" | "deployment"> {
  chain?: boolean;
}

function verify(flags: VerifyFlags): Promise<void> {
  return flags.chain === true ? verifyChain(flags) : verifyKeys(flags);
}

const MARKS: Record<Fact["result"], string> = { passed: "ok  ", failed: "FAIL", unknown: "?   " };

async function verifyChain(flags: VerifyFlags): Promise<void> {
  const out = new Output(flags);
  const chain = await connectChain({ rpcUrl: flags.rpc });
  const file = flags.deployment ?? deploymentPath(chain.chainId);
  const deployment = loadDeployment(chain.chainId, file);
  const facts = await verifyDeployment(chain, deployment, path.dirname(file));
  const failed = facts.filter(({ result }) => result === "failed").length;
  out.result({ chainId: chain.chainId, file, ok: failed === 0, failed, facts }, () => [
    ...facts.map(({ fact, result, detail }) => `${MARKS[result]}  ${fact}: ${detail}`),
    failed === 0
      ? `everything in ${file} holds on chain ${chain.chainId}`
      : `NOT VALID: ${failed} of ${facts.length} facts in ${file} do not hold; do not use these contracts`,
  ]);
  if (failed > 0) process.exitCode = ExitCode.failed;
}

async function verifyKeys(flags: Flags): Promise<void> {
  const out = new Output(flags);
  const reports: { size: number; ok: boolean; checks: KeyCheck[] }[] = [];
  for (const size of flags.size ?? [510]) {
    const checks = await verifyKey(size, {
      onProgress: (_, done, total) => out.progress.update(`key ${size}`, done, total),
    });
    reports.push({ size, ok: checks.every(({ ok }) => ok), checks });
  }
  out.result(reports, () =>
    reports.map(({ size, ok, checks }) =>
      [
        `key ${size}: ${ok ? "every check holds" : "NOT VALID"}`,
        ...checks.map((check) => `  ${check.ok ? "ok  " : "FAIL"}  ${check.check}: ${check.detail}`),
      ].join("\n"),
    ),
  );
  if (!reports.every(({ ok }) => ok)) process.exitCode = ExitCode.failed;
}

export function registerKeys(program: Command): void {
  const keys = program.command("keys").description("the keys proofs are made and verified with");
  const withSizes = (command: Command): Command =>
    command.option("--size <slots>", `a key, repeatable: ${SIZES} (default 510)`, several(wholeNumber(1)));
  withOutput(withSizes(keys.command("build").description("compile and set up what is missing"))).action(
    build,
  );
  withOutput(keys.command("list").description("the keys of this version")).action(list);
  const onChain = new Option("--chain", "check a deployment file and the contracts on the chain instead");
  const check = keys
    .command("verify")
    .description(
      "check everything about a key, or with --chain about deployed contracts, that can be checked",
    )
    .addOption(onChain.conflicts("size"));
  withOutput(withChain(withSizes(check))).action(verify);
}
