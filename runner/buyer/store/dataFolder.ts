/**
 * The buyer's data folder.
 *
 *   buyer.db                    agreements, passes, receipts (SQLite)
 *   vault/, vault.key           agreements' signer keys: encrypted
 *   adapters/                   verified manifests and commitments
 *   transcripts/<agreement>/    every pass, when asked to keep them
 */
import * as path from "node:path";
import { openDatabase } from "../../storage/database.ts";
import { Vault, type VaultOptions } from "../../storage/vault.ts";
import { AdapterCache } from "../opening/adapterCache.ts";
import { BuyerStore } from "./store.ts";
import { BUYER_MIGRATIONS } from "./storedRows.ts";

export interface BuyerData {
  directory: string;
  store: BuyerStore;
  vault: Vault;
  cache: AdapterCache;
  transcripts: string;
  close(): void;
}

/** Name of the database: it also tells whose folder one is. */
export const BUYER_DATABASE = "buyer.db";

/**
 * Opens the data folder, made when missing.
 * @throws DeltapayError `storage/...`, `vault/...`
 */
export async function openBuyerData(directory: string, options: VaultOptions = {}): Promise<BuyerData> {
  const database = openDatabase(path.join(directory, BUYER_DATABASE), BUYER_MIGRATIONS);
  try {
    const vault = await Vault.open(path.join(directory, "vault"), options);
    return {
      directory,
      store: new BuyerStore(database),
      vault,
      cache: new AdapterCache(path.join(directory, "adapters"), vault),
      transcripts: path.join(directory, "transcripts"),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}
