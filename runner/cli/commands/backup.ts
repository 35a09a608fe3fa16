/** `deltapay backup` and `deltapay restore`: a role's data as one encrypted file, and back. */
import * as path from "node:path";
import type { Command } from "commander";
import { backup, restore } from "../../storage/backup.ts";
import { withPassphrase } from "../connection.ts";
import { badValue } from "../failure.ts";
import { chosenFolder, defaultDataDirectory, type RoleFlags, vaultOptions, withRole } from "../folders.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";

interface BackupFlags extends RoleFlags, OutputFlags {
  includeKeyFile?: boolean;
}

interface RestoreFlags extends RoleFlags, OutputFlags {
  keyFile?: string;
}

async function save(file: string, flags: BackupFlags): Promise<void> {
  const out = new Output(flags);
  const { role, directory } = chosenFolder(flags);
  const includeKeyFile = flags.includeKeyFile === true;
  const made = await backup({ directory, file, includeKeyFile, ...vaultOptions(flags) });
  if (made.includesKeyFile)
    out.warn("the backup holds the vault's key: guard it like the key, whoever has it reads all of it");
  else
    out.note(
      "all of it is encrypted: keep the vault's passphrase, or its key file (vault.key), elsewhere: restoring takes it",
    );
  out.result({ role, directory, file: path.resolve(file), ...made, warnings: out.warnings }, () => [
    `${made.files} files, ${made.bytes} bytes of the ${role} in ${file}`,
  ]);
}

async function bringBack(file: string, flags: RestoreFlags): Promise<void> {
  if (flags.data === undefined && flags.role === undefined)
    throw badValue("data", "restore to where?", "add --data DIR, or --role contributor or --role buyer");
  const directory = flags.data ?? defaultDataDirectory(flags.role!);
  const keyFile = flags.keyFile === undefined ? {} : { keyFile: flags.keyFile };
  const made = await restore({ file, directory, ...vaultOptions(flags), ...keyFile });
  new Output(flags).result({ directory, file: path.resolve(file), ...made }, () => [
    `${made.files} files restored to ${directory}`,
  ]);
}

export function registerBackup(program: Command): void {
  const out = program
    .command("backup")
    .description(
      "write a role's data to one file, encrypted under its vault's key; the service may be running",
    )
    .argument("<file>", "a file that is not there yet")
    .option("--include-key-file", "take the vault's key along: whoever has the backup can read all of it");
  withOutput(withPassphrase(withRole(out))).action(save);
}

export function registerRestore(program: Command): void {
  const back = program
    .command("restore")
    .description("bring a backup back into an empty folder; takes the vault's passphrase or key file")
    .argument("<file>", "the backup")
    .option("--key-file <file>", "the vault's key file (vault.key), where the backup does not include it");
  withOutput(withPassphrase(withRole(back))).action(bringBack);
}
