/** Where a role keeps its data: --data, or a folder of its own below the user's. */
import * as fs from "node:fs";
import * as path from "node:path";
import { type Command, Option } from "commander";
import { BUYER_DATABASE, type BuyerData, openBuyerData } from "../buyer/store/dataFolder.ts";
import { readPassphrase } from "../chain/accounts.ts";
import { type ContributorData, openContributorData } from "../contributor/dataFolder.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { userDataDirectory } from "../storage/userFolder.ts";
import type { VaultOptions } from "../storage/vault.ts";
import { badValue } from "./failure.ts";

export const ROLES = ["contributor", "buyer"] as const;
export type Role = (typeof ROLES)[number];

/** Each role's database: it also tells whose folder one is. */
const DATABASES: Record<Role, string> = { contributor: "contributor.db", buyer: BUYER_DATABASE };

export interface DataFlags {
  data?: string;
  passphraseFile?: string;
}

export interface RoleFlags extends DataFlags {
  role?: Role;
}

/** Where a role's data is unless --data says otherwise. */
export function defaultDataDirectory(role: Role): string {
  return path.join(userDataDirectory(), "deltapay", role);
}

/** Adds --data for commands of one role. */
export function withData(command: Command, role: Role): Command {
  return command.option("--data <dir>", `the ${role}'s data folder (default: ${defaultDataDirectory(role)})`);
}

/** Adds --data and --role for commands of both roles. */
export function withRole(command: Command): Command {
  return command
    .option("--data <dir>", "the data folder (default: by role under the user's data folder)")
    .addOption(new Option("--role <role>", "whose data").choices(ROLES));
}

function isFolderOf(directory: string, role: Role): boolean {
  return fs.existsSync(path.join(directory, DATABASES[role]));
}

/** The folders meant, with their roles: those of --data, --role, or every default one that is there. */
export function chosenFolders({ data, role }: RoleFlags): { role: Role; directory: string }[] {
  const roles = role === undefined ? ROLES : [role];
  const candidates = roles.map((one) => ({ role: one, directory: data ?? defaultDataDirectory(one) }));
  return candidates.filter(({ role: one, directory }) => isFolderOf(directory, one));
}

/**
 * The one folder meant.
 * @throws DeltapayError `usage/bad-value` when both roles have one here, `storage/no-data` when none has
 */
export function chosenFolder(flags: RoleFlags): { role: Role; directory: string } {
  const [first, second] = chosenFolders(flags);
  if (second !== undefined)
    throw badValue("role", "both roles have data here", "add --role contributor or --role buyer");
  if (first === undefined)
    throw new DeltapayError("storage/no-data", "there is no data folder", {
      field: "data",
      hint: `name it with --data DIR; looked for ${flags.data ?? defaultDataDirectory(flags.role ?? "contributor")}`,
    });
  return first;
}

/** How to unlock the vault of a data folder. */
export function vaultOptions({ passphraseFile }: DataFlags): VaultOptions {
  const passphrase = readPassphrase(passphraseFile);
  return passphrase === undefined ? {} : { passphrase };
}

/** A command that only uses what is there makes no folder: a name mistyped would look like one without data. */
function existing(role: Role, { data }: DataFlags): string {
  const directory = data ?? defaultDataDirectory(role);
  if (!isFolderOf(directory, role))
    throw new DeltapayError("storage/no-data", `${directory} has no data of a ${role}`, {
      field: "data",
      hint:
        role === "buyer"
          ? "name the folder with --data DIR; deltapay open makes it"
          : "name the folder with --data DIR; deltapay adapter register makes it",
    });
  return directory;
}

/** The contributor's data. @throws DeltapayError `storage/...`, `vault/...` */
export async function openContributor(flags: DataFlags): Promise<ContributorData> {
  return openContributorData(existing("contributor", flags), vaultOptions(flags));
}

/** The contributor's data, made when missing. @throws DeltapayError `storage/...`, `vault/...` */
export function makeContributor(flags: DataFlags): Promise<ContributorData> {
  return openContributorData(flags.data ?? defaultDataDirectory("contributor"), vaultOptions(flags));
}

/** The buyer's data. @throws DeltapayError `storage/...`, `vault/...` */
export async function openBuyer(flags: DataFlags): Promise<BuyerData> {
  return openBuyerData(existing("buyer", flags), vaultOptions(flags));
}

/** The buyer's data, made when missing. @throws DeltapayError `storage/...`, `vault/...` */
export function makeBuyer(flags: DataFlags): Promise<BuyerData> {
  return openBuyerData(flags.data ?? defaultDataDirectory("buyer"), vaultOptions(flags));
}

/** Runs work on opened data and closes it, however the work ends. */
export async function closing<Data extends { close(): void }, Result>(
  data: Data,
  work: (data: Data) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(data);
  } finally {
    data.close();
  }
}
