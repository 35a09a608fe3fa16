/**
 * SQLite databases whose committed transactions survive a crash or a power cut: in WAL mode with synchronous = FULL every
 * commit is fsynced to the log before it returns. Relied on is a disk that has what fsync said it has.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DeltapayError } from "../protocol/errors.ts";
import { makePrivateDirectory } from "./files.ts";

export type { DatabaseSync } from "node:sqlite";

/**
 * Opens a database, made when missing, and brings its schema up to date. Two processes may open it at once.
 * @param file path; its folder is made when missing, both readable by the owner only
 * @param migrations SQL scripts in order; the number already run is kept as user_version. Only ever append.
 * @throws DeltapayError `storage/newer-version` when a later version of this software wrote it, `storage/cannot-open`
 */
export function openDatabase(file: string, migrations: readonly string[]): DatabaseSync {
  makePrivateDirectory(path.dirname(file));
  // SQLite would make it with the process's umask.
  fs.closeSync(fs.openSync(file, "a", 0o600));
  const database = connect(file);
  try {
    migrate(database, file, migrations);
  } catch (error) {
    database.close();
    throw isDamage(error) ? damaged(file, "its tables are not those of the version it names", error) : error;
  }
  return database;
}

/** Opens a database that is there, whatever its schema; for copies. */
export function openExisting(file: string): DatabaseSync {
  return connect(file);
}

function connect(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec(`
      PRAGMA busy_timeout = 10000;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = ON;
    `);
  } catch (cause) {
    database.close();
    throw damaged(file, "it is not a database that can be used", cause);
  }
  return database;
}

function damaged(file: string, why: string, cause: unknown): DeltapayError {
  return new DeltapayError("storage/cannot-open", `${file} cannot be opened: ${why}`, {
    field: file,
    hint: "restore it from a backup",
    cause,
  });
}

/** SQLITE_ERROR, SQLITE_CORRUPT, SQLITE_NOTADB (https://sqlite.org/rescode.html): no full disk, no lock. */
function isDamage(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && [1, 11, 26].includes(errcode & 0xff);
}

function migrate(database: DatabaseSync, file: string, migrations: readonly string[]): void {
  transaction(database, () => {
    const row = database.prepare("PRAGMA user_version").get();
    const done = Number(row?.["user_version"]);
    if (done > migrations.length)
      throw new DeltapayError("storage/newer-version", `${file} was written by a newer version`, {
        field: file,
        hint: "use that version, or another data folder",
      });
    for (const script of migrations.slice(done)) database.exec(script);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

/** Runs `work` in one write transaction: all of it is durable when this returns, none of it when it throws. */
export function transaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** Writes a consistent copy of a database that may be in use. The file must not exist. */
export function copyDatabase(database: DatabaseSync, file: string): void {
  database.prepare("VACUUM INTO ?").run(file);
}
