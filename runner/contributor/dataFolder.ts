/**
 * The contributor's data folder.
 *
 *   contributor.db              agreements, passes, receipts, proofs (SQLite)
 *   adapters/<id>/              manifest.json, commitments.bin: public
 *   vault/, vault.key           registration seeds, weights and scales: encrypted
 *   transcripts/<agreement>/    every pass, when asked to keep them
 */
import * as path from "node:path";
import { type DatabaseSync, openDatabase } from "../storage/database.ts";
import { Vault, type VaultOptions } from "../storage/vault.ts";
import { MIGRATIONS } from "./store/migrations.ts";

export interface ContributorData {
  directory: string;
  database: DatabaseSync;
  vault: Vault;
  /** Folder of an adapter's public files. */
  adapterDirectory(adapterId: string): string;
  /** Folder of an agreement's transcript. */
  transcriptDirectory(agreementId: string): string;
  close(): void;
}

/**
 * Opens the data folder, made when missing.
 * @throws DeltapayError `storage/...`, `vault/...`
 */
export async function openContributorData(
  directory: string,
  options: VaultOptions = {},
): Promise<ContributorData> {
  const database = openDatabase(path.join(directory, "contributor.db"), MIGRATIONS);
  try {
    const vault = await Vault.open(path.join(directory, "vault"), options);
    return {
      directory,
      database,
      vault,
      adapterDirectory: (adapterId) => path.join(directory, "adapters", adapterId),
      transcriptDirectory: (agreementId) => path.join(directory, "transcripts", agreementId),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}
