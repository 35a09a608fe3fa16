import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { copyDatabase, openDatabase, transaction } from "../../runner/storage/database.ts";
import { temporaryDirectory } from "./temporary.ts";

const NOTES = "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;";
const LABELS = "ALTER TABLE note ADD COLUMN label TEXT NOT NULL DEFAULT 'none';";

test("migrations run once, in order, and data lives on", (context) => {
  const file = path.join(temporaryDirectory(context), "data", "notes.db");
  const first = openDatabase(file, [NOTES]);
  first.prepare("INSERT INTO note (text) VALUES (?)").run("kept");
  first.close();
  const second = openDatabase(file, [NOTES, LABELS]);
  assert.deepEqual({ ...second.prepare("SELECT * FROM note").get() }, { id: 1, text: "kept", label: "none" });
  second.close();
  assert.throws(() => openDatabase(file, [NOTES]), { code: "storage/newer-version" });
});

test("a database is durable, checks foreign keys and is its owner's alone", (context) => {
  const file = path.join(temporaryDirectory(context), "notes.db");
  const database = openDatabase(file, [NOTES]);
  const pragma = (name: string): unknown => Object.values(database.prepare(`PRAGMA ${name}`).get()!)[0];
  assert.equal(pragma("journal_mode"), "wal");
  assert.equal(pragma("synchronous"), 2);
  assert.equal(pragma("foreign_keys"), 1);
  assert.equal(fs.statSync(file).mode & 0o077, 0);
  database.close();
});

test("a transaction that throws leaves nothing", (context) => {
  const database = openDatabase(path.join(temporaryDirectory(context), "notes.db"), [NOTES]);
  assert.throws(
    () =>
      transaction(database, () => {
        database.prepare("INSERT INTO note (text) VALUES ('half')").run();
        throw new Error("stop");
      }),
    /stop/,
  );
  assert.equal(database.prepare("SELECT count(*) AS n FROM note").get()!["n"], 0);
  assert.equal(
    transaction(database, () => 7),
    7,
  );
  database.close();
});

test("a failed migration changes nothing, a file that is no database is named", (context) => {
  const directory = temporaryDirectory(context);
  const file = path.join(directory, "notes.db");
  openDatabase(file, [NOTES]).close();
  assert.throws(() => openDatabase(file, [NOTES, `${LABELS} CREATE TABLE note (id INTEGER);`]));
  const again = openDatabase(file, [NOTES, LABELS]);
  again.exec("PRAGMA user_version = 1");
  again.close();
  assert.throws(() => openDatabase(file, [NOTES, LABELS]), { code: "storage/cannot-open", field: file });
  const other = path.join(directory, "other.db");
  fs.writeFileSync(other, "not a database, though long enough to look like one ".repeat(30));
  assert.throws(() => openDatabase(other, [NOTES]), { code: "storage/cannot-open", field: other });
});

test("a copy of a database in use is complete", (context) => {
  const directory = temporaryDirectory(context);
  const database = openDatabase(path.join(directory, "notes.db"), [NOTES]);
  database.prepare("INSERT INTO note (text) VALUES ('in the log only')").run();
  copyDatabase(database, path.join(directory, "copy.db"));
  database.close();
  const copy = openDatabase(path.join(directory, "copy.db"), [NOTES]);
  assert.equal(copy.prepare("SELECT text FROM note").get()!["text"], "in the log only");
  copy.close();
});

test("processes open one new database at once", async (context) => {
  const file = path.join(temporaryDirectory(context), "notes.db");
  const source = new URL("../../runner/storage/database.ts", import.meta.url).href;
  const script = `
    const { openDatabase } = await import(${JSON.stringify(source)});
    const database = openDatabase(${JSON.stringify(file)}, [${JSON.stringify(NOTES)}]);
    database.prepare("INSERT INTO note (text) VALUES ('x')").run();`;
  const run = () => promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  await Promise.all([run(), run(), run(), run()]);
  const database = openDatabase(file, [NOTES]);
  assert.equal(database.prepare("SELECT count(*) AS n FROM note").get()!["n"], 4);
  database.close();
});
