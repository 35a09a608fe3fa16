import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { backup, restore } from "../../runner/storage/backup.ts";
import { openDatabase } from "../../runner/storage/database.ts";
import { Vault } from "../../runner/storage/vault.ts";
import { temporaryDirectory } from "./temporary.ts";

const NOTES = ["CREATE TABLE note (text TEXT NOT NULL) STRICT;"];
const SECRET = new TextEncoder().encode("the seed of everything");

/** A data folder in use: an open database, a vault, a file in a folder. */
async function dataFolder(context: Parameters<typeof temporaryDirectory>[0]) {
  const root = temporaryDirectory(context);
  const directory = path.join(root, "data");
  const database = openDatabase(path.join(directory, "role.db"), NOTES);
  context.after(() => database.close());
  database.prepare("INSERT INTO note VALUES ('still in the log')").run();
  (await Vault.open(path.join(directory, "vault"))).write("seed", SECRET);
  fs.mkdirSync(path.join(directory, "adapters", "0x12"), { recursive: true });
  fs.writeFileSync(path.join(directory, "adapters", "0x12", "manifest.json"), "{}");
  return { root, directory, file: path.join(root, "backup.bin"), database };
}

test("a folder in use comes back whole, its secrets still locked", async (context) => {
  const { root, directory, file } = await dataFolder(context);
  const made = backup({ directory, file });
  assert.deepEqual([made.files, made.includesKeyFile], [4, false]);
  assert.equal(fs.statSync(file).mode & 0o077, 0);
  assert.ok(!fs.readFileSync(file).includes(Buffer.from(SECRET)));
  assert.ok(!fs.readFileSync(file).includes(fs.readFileSync(path.join(directory, "vault.key"))));
  const again = path.join(root, "again");
  assert.equal(restore({ file, directory: again }).files, 4);
  const database = openDatabase(path.join(again, "role.db"), NOTES);
  assert.equal(database.prepare("SELECT text FROM note").get()!["text"], "still in the log");
  database.close();
  assert.equal(fs.readFileSync(path.join(again, "adapters", "0x12", "manifest.json"), "utf8"), "{}");
  await assert.rejects(Vault.open(path.join(again, "vault")), { code: "vault/key-file-missing" });
  fs.copyFileSync(path.join(directory, "vault.key"), path.join(again, "vault.key"));
  fs.chmodSync(path.join(again, "vault.key"), 0o600);
  assert.deepEqual((await Vault.open(path.join(again, "vault"))).read("seed"), SECRET);
  assert.deepEqual(
    fs.readdirSync(root).filter((name) => name.includes("part")),
    [],
  );
});

test("the key file goes along when asked for", async (context) => {
  const { root, directory, file } = await dataFolder(context);
  assert.equal(backup({ directory, file, includeKeyFile: true }).includesKeyFile, true);
  const again = path.join(root, "again");
  assert.equal(restore({ file, directory: again }).includesKeyFile, true);
  assert.deepEqual((await Vault.open(path.join(again, "vault"))).read("seed"), SECRET);
});

test("nothing is overwritten", async (context) => {
  const { root, directory, file } = await dataFolder(context);
  backup({ directory, file });
  assert.throws(() => backup({ directory, file }), { code: "backup/exists" });
  assert.throws(() => restore({ file, directory }), { code: "backup/not-empty" });
  assert.throws(() => backup({ directory: path.join(root, "none"), file: `${file}2` }), {
    code: "backup/nothing",
  });
  assert.throws(() => restore({ file: path.join(root, "none"), directory }), { code: "backup/nothing" });
});

test("a damaged backup restores nothing", async (context) => {
  const { root, directory, file } = await dataFolder(context);
  backup({ directory, file });
  const bytes = fs.readFileSync(file);
  const damaged = [
    bytes.subarray(0, bytes.length - 1),
    bytes.subarray(0, 40),
    new Uint8Array(bytes.length),
    Buffer.from(bytes).fill(1, bytes.length - 20, bytes.length - 19),
    Buffer.from(bytes.toString("latin1").replace("adapters/0x12", "../../../0x12"), "latin1"),
  ];
  for (const [i, wrong] of damaged.entries()) {
    const target = path.join(root, `restored-${i}`);
    fs.writeFileSync(`${file}.${i}`, wrong);
    assert.throws(
      () => restore({ file: `${file}.${i}`, directory: target }),
      { code: "backup/corrupt" },
      String(i),
    );
    assert.equal(fs.existsSync(target), false);
  }
});
