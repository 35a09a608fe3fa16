/** A party's own data folder, damaged or exchanged. */
import * as fs from "node:fs";
import * as path from "node:path";
import { BUYER_MIGRATIONS } from "../../../runner/buyer/store/storedRows.ts";
import { backup, restore } from "../../../runner/storage/backup.ts";
import { openDatabase } from "../../../runner/storage/database.ts";
import { Vault } from "../../../runner/storage/vault.ts";
import { mutateJson } from "../mutateJson.ts";
import { type FuzzTarget, promise } from "../target.ts";
import { fuzzFolder } from "./folder.ts";

export async function targets(): Promise<FuzzTarget[]> {
  const folder = fuzzFolder();
  const at = (...names: string[]): string => path.join(folder, ...names);
  const read = (...names: string[]): Uint8Array => new Uint8Array(fs.readFileSync(at(...names)));
  const vault = await Vault.open(at("data", "vault"));
  const secret = new Uint8Array(100).fill(7);
  vault.write("seed", secret);
  const sealed = read("data", "vault", "seed.secret");
  const header = read("data", "vault", "vault.json");
  openDatabase(at("data", "buyer.db"), BUYER_MIGRATIONS).close();
  const database = read("data", "buyer.db");
  await backup({ directory: at("data"), file: at("backup"), includeKeyFile: true });
  await backup({ directory: at("data"), file: at("locked-backup") });
  return [
    {
      name: "vault-header",
      seeds: [header],
      mutators: [mutateJson],
      run: async (input) => {
        fs.writeFileSync(at("data", "vault", "vault.json"), input);
        const opened = await Vault.open(at("data", "vault"));
        promise(Buffer.from(opened.read("seed")).equals(secret), "another secret is read");
      },
    },
    {
      name: "vault-secret",
      seeds: [sealed],
      mutators: [],
      run: (input) => {
        fs.writeFileSync(at("data", "vault", "seed.secret"), input);
        promise(Buffer.from(vault.read("seed")).equals(secret), "another secret is read");
      },
    },
    {
      name: "backup",
      seeds: [read("backup"), read("locked-backup")],
      mutators: [],
      run: async (input) => {
        fs.writeFileSync(at("given"), input);
        try {
          await restore({ file: at("given"), directory: at("restored") });
          promise(
            Buffer.from(sealed).equals(read("restored", "vault", "seed.secret")),
            "restored differently",
          );
        } finally {
          const left = fs.readdirSync(folder).filter((name) => name.startsWith("restored.part-"));
          fs.rmSync(at("restored"), { recursive: true, force: true });
          promise(left.length === 0, "a part of a backup stays behind");
        }
      },
    },
    {
      name: "database",
      seeds: [database],
      mutators: [],
      run: (input) => {
        for (const name of ["given.db", "given.db-wal", "given.db-shm"]) fs.rmSync(at(name), { force: true });
        fs.writeFileSync(at("given.db"), input);
        openDatabase(at("given.db"), BUYER_MIGRATIONS).close();
      },
    },
  ];
}
