/** `deltapay prove`: the proofs of an ended session, without settling. */
import * as fs from "node:fs";
import type { Command } from "commander";
import { readPassphrase } from "../../chain/accounts.ts";
import { domainOf } from "../../chain/connect.ts";
import { loadServedAdapter, readManifest } from "../../contributor/adapters.ts";
import { endServing } from "../../contributor/endServing.ts";
import { exportSession } from "../../contributor/exportSession.ts";
import { AgreementStore } from "../../contributor/store/agreements.ts";
import type { Hex } from "../../protocol/bytes.ts";
import { ensure } from "../../protocol/errors.ts";
import { stringifyMessage } from "../../wire/messages.ts";
import { sealSession } from "../../wire/sessionFile.ts";
import { type ChainFlags, openChain, withChain, withPassphrase } from "../connection.ts";
import { badValue } from "../failure.ts";
import { closing, type DataFlags, openContributor, withData } from "../folders.ts";
import { duration, Output, type OutputFlags, table, withOutput } from "../output.ts";
import { hash } from "../parsers.ts";
import { settlementOf } from "../settlement.ts";

interface Flags extends ChainFlags, DataFlags, OutputFlags {
  end?: boolean;
  out?: string;
  exportSession?: string;
  sessionPassphraseFile?: string;
}

/** Names of a group's modules. */
function modulesOf(data: Parameters<typeof readManifest>[0], adapterId: Hex): (group: number) => string[] {
  const { modules } = readManifest(data, adapterId);
  return (group) => modules.filter((module) => module.group === group).map(({ name }) => name);
}

/** Writes the session file instead of proving. */
async function writeSession(agreementId: Hex, file: string, flags: Flags): Promise<void> {
  const out = new Output(flags);
  const environment = { DELTAPAY_PASSPHRASE: process.env["DELTAPAY_SESSION_PASSPHRASE"] };
  const passphrase = readPassphrase(flags.sessionPassphraseFile, environment);
  ensure(
    passphrase !== undefined,
    "session-file/passphrase-needed",
    "a session file is encrypted: it holds witnesses",
    {
      field: "session-passphrase-file",
      hint: "set DELTAPAY_SESSION_PASSPHRASE or --session-passphrase-file FILE, not to the data folder's own",
    },
  );
  const ctx = await openChain(flags);
  await closing(await openContributor(flags), async (data) => {
    if (flags.end === true) endServing(data, agreementId);
    const { adapterId } = new AgreementStore(data.database).get(agreementId);
    const session = exportSession(data, domainOf(ctx), loadServedAdapter(data, adapterId), agreementId);
    fs.writeFileSync(file, await sealSession(session, passphrase), { flag: "wx", mode: 0o600 });
    const { passes, tokens } = session.receipt;
    const groups = session.witnesses.length;
    out.result({ agreementId, passes, tokens, vkHash: session.vkHash, groups, file }, () => [
      `${tokens} tokens in ${passes} passes, to be proven with ${groups} proofs under the key of ${session.keySize} slots`,
      `SECRET session file in ${file}: prove it on the page, then delete it`,
    ]);
  });
}

async function run(agreementId: Hex, flags: Flags): Promise<void> {
  if (flags.exportSession !== undefined) {
    if (flags.out !== undefined)
      throw badValue("out", "a bundle is written when it is proven", "leave out --out, or --export-session");
    return writeSession(agreementId, flags.exportSession, flags);
  }
  const out = new Output(flags);
  const ctx = await openChain(flags);
  await closing(await openContributor(flags), async (data) => {
    if (flags.end === true) endServing(data, agreementId);
    const times = new Map<number, number>();
    const { settlement, adapterId } = settlementOf(data, ctx, agreementId, (event) => {
      if (event.type === "proving") times.set(event.done - 1, event.proveMs);
    });
    const bundle = await settlement.proveAgreement(agreementId, (done, total) =>
      out.progress.update("proofs", done, total),
    );
    const named = modulesOf(data, adapterId);
    // The prover verifies each proof before it hands it on.
    const proofs = bundle.claims.map(({ group }) => ({
      group,
      modules: named(group),
      proveMs: times.get(group) ?? null,
      verified: true,
    }));
    if (flags.out !== undefined)
      fs.writeFileSync(flags.out, `${stringifyMessage(bundle, 2)}\n`, { flag: "wx" });
    const { passes, tokens } = bundle.receipt;
    out.result({ agreementId, passes, tokens, vkHash: bundle.vkHash, proofs }, () => [
      `${tokens} tokens in ${passes} passes, proven`,
      table(
        ["group", "modules", "time", "verified"],
        proofs.map(({ group, modules, proveMs }) => [
          group,
          modules.join(", "),
          proveMs === null ? "before" : duration(proveMs),
          "yes",
        ]),
      ),
      ...(flags.out === undefined ? [] : [`bundle in ${flags.out}`]),
    ]);
  });
}

export function registerProve(program: Command): void {
  const command = program
    .command("prove")
    .description("prove what an ended session owes; proofs are kept, settle sends them")
    .argument("<agreement>", "agreement id", hash)
    .option("--end", "end the session first, with the service stopped or not: its newest receipt is proven")
    .option(
      "--out <file>",
      "write the proof bundle (receipt, statements, proofs; nothing secret) to a new file",
    )
    .option(
      "--export-session <file>",
      "write what proves it elsewhere to a new file instead: SECRET, encrypted with a passphrase of its own",
    )
    .option(
      "--session-passphrase-file <file>",
      "file with that passphrase, of 12 characters or more; or DELTAPAY_SESSION_PASSPHRASE",
    );
  withOutput(withData(withPassphrase(withChain(command)), "contributor")).action(run);
}
