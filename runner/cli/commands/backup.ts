/** `deltapay backup` and `deltapay restore`: a role's data as one file, and back. */
import * as path from "node:path";
import type { Command } from "commander";
import { backup, restore } from "../../storage/backup.ts";
import { badValue } from "../failure.ts";
import { chosenFolder, defaultDataDirectory, type RoleFlags, withRole } from "../folders.ts";
import { Output, type OutputFlags, withOutput } from "../output.ts";

interface BackupFlags extends RoleFlags, OutputFlags {
  includeKeyFile?: boolean;
}

function save(file: string, flags: BackupFlags): void {
  const out = new Output(flags);
  const { role, directory } = chosenFolder(flags);
  const made = backup({ directory, file, includeKeyFile: flags.includeKeyFile === true });
  if (made.includesKeyFile)
    out.warn("the backup holds the vault's key: whoever has the file can read the secrets");
  else
    out.note(
      "keep the vault's key file or passphrase elsewhere: without it the backup's secrets cannot be read",
    );
  out.result({ role, directory, file: path.resolve(file), ...made, warnings: out.warnings }, () => [
    `${made.files} files, ${made.bytes} bytes of the ${role} in ${file}`,
  ]);
}

function bringBack(file: string, flags: RoleFlags & OutputFlags): void {
  if (flags.data === undefined && flags.role === undefined)
    throw badValue("data", "restore to where?", "add --data DIR, or --role contributor or --role buyer");
  const directory = flags.data ?? defaultDataDirectory(flags.role!);
  const made = restore({ file, directory });
  const out = new Output(flags);
  if (!made.includesKeyFile)
    out.note(`a vault locked with a key file needs it back at ${path.join(directory, "vault.key")}`);
  out.result({ directory, file: path.resolve(file), ...made }, () => [
    `${made.files} files restored to ${directory}`,
  ]);
}

export function registerBackup(program: Command): void {
  const out = program
    .command("backup")
    .description("write a role's data to one file; the service may be running")
    .argument("<file>", "a file that is not there yet")
    .option("--include-key-file", "take the vault's key along: whoever has the backup can read the secrets");
  withOutput(withRole(out)).action(save);
}

export function registerRestore(program: Command): void {
  const back = program
    .command("restore")
    .description("bring a backup back into an empty folder")
    .argument("<file>", "the backup");
  withOutput(withRole(back)).action(bringBack);
}
