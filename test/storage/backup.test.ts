import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { concatBytes, u32 } from "../../runner/protocol/bytes.ts";
import { backup, restore } from "../../runner/storage/backup.ts";
import { openDatabase } from "../../runner/storage/database.ts";
import { SealedWriter } from "../../runner/storage/sealedStream.ts";
import { Vault, type VaultOptions } from "../../runner/storage/vault.ts";
import { temporaryDirectory } from "./temporary.ts";

const NOTES = ["CREATE TABLE note (text TEXT NOT NULL) STRICT;"];
const SECRET = new TextEncoder().encode("the seed of everything");
const ROW = "answers and salts, still in the log";
const PASS = "activations and answers of a pass";
const ADAPTER = path.join("adapters", "0x12", "manifest.json");
const TRANSCRIPT = path.join("transcripts", "0x34", "pass-00000001.bin");

type Context = Parameters<typeof temporaryDirectory>[0];

/** A data folder in use: an open database, a vault, files in folders, one larger than a chunk. */
async function dataFolder(context: Context, options: VaultOptions = {}) {
  const root = temporaryDirectory(context);
  const directory = path.join(root, "data");
  const database = openDatabase(path.join(directory, "role.db"), NOTES);
  context.after(() => database.close());
  database.prepare("INSERT INTO note VALUES (?)").run(ROW);
  (await Vault.open(path.join(directory, "vault"), options)).write("seed", SECRET);
  const files: Record<string, string> = { [ADAPTER]: "{}", [TRANSCRIPT]: PASS.repeat(100_000), empty: "" };
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    fs.writeFileSync(path.join(directory, name), text);
  }
  const keyFile = path.join(directory, "vault.key");
  return { root, directory, file: path.join(root, "backup.bin"), database, files, keyFile };
}

async function assertWhole(directory: string, files: Record<string, string>, options: VaultOptions = {}) {
  const database = openDatabase(path.join(directory, "role.db"), NOTES);
  assert.equal(database.prepare("SELECT text FROM note").get()!["text"], ROW);
  database.close();
  for (const [name, text] of Object.entries(files))
    assert.equal(fs.readFileSync(path.join(directory, name), "utf8"), text);
  assert.deepEqual((await Vault.open(path.join(directory, "vault"), options)).read("seed"), SECRET);
}

test("a folder in use comes back whole, by its vault's key file", async (context) => {
  const { root, directory, file, files, keyFile } = await dataFolder(context);
  const made = await backup({ directory, file });
  assert.deepEqual([made.files, made.includesKeyFile], [6, false]);
  assert.equal(fs.statSync(file).mode & 0o077, 0);
  const again = path.join(root, "again");
  assert.deepEqual(await restore({ file, directory: again, keyFile }), made);
  await assertWhole(again, files);
  for (const folder of [root, directory])
    assert.deepEqual(
      fs.readdirSync(folder).filter((name) => /part|^\.backup/.test(name)),
      [],
    );
});

test("whatever its owner put into the folder, and called it, comes back", async (context) => {
  const { root, directory, file, files, keyFile } = await dataFolder(context);
  for (const name of ["contributor.db (1)", "notes~", "who bought what, May.txt", "größe"]) {
    fs.writeFileSync(path.join(directory, name), name);
    files[name] = name;
  }
  await backup({ directory, file });
  const again = path.join(root, "again");
  await restore({ file, directory: again, keyFile });
  await assertWhole(again, files);
});

test("no path of a backup leads out of the folder it is restored to", async (context) => {
  const { root, directory, file, keyFile } = await dataFolder(context);
  await backup({ directory, file });
  const whole = fs.readFileSync(file);
  const header = whole.subarray(0, 32 + 4 + whole.readUInt32LE(32) + 4 + 32);
  const vault = await Vault.open(path.join(directory, "vault"));
  for (const name of ["../out", "a/../../out", "..\\out", "/out", "a//out", "..", ""]) {
    const descriptor = fs.openSync(`${file}.made`, "w");
    fs.writeSync(descriptor, header);
    const writer = new SealedWriter(descriptor, vault.deriveKey("backup", header.subarray(-32)), header);
    const label = new TextEncoder().encode(name);
    writer.write(concatBytes(u32(label.length), label, new Uint8Array(8)));
    writer.end();
    fs.closeSync(descriptor);
    const restored = restore({ file: `${file}.made`, directory: path.join(root, "again"), keyFile });
    await assert.rejects(restored, { code: "backup/corrupt" }, name);
  }
  assert.deepEqual(fs.readdirSync(root).sort(), ["backup.bin", "backup.bin.made", "data"]);
});

test("without the key nothing of the folder can be read from the backup", async (context) => {
  const { root, directory, file, keyFile } = await dataFolder(context);
  await backup({ directory, file });
  const bytes = fs.readFileSync(file);
  const own = [SECRET, ROW, PASS, "SQLite format", "manifest.json", "0x12", fs.readFileSync(keyFile)];
  for (const text of own) assert.ok(!bytes.includes(Buffer.from(text)), String(text));

  const target = path.join(root, "again");
  const needed = { code: "backup/key-needed", field: "keyFile" };
  await assert.rejects(restore({ file, directory: target }), needed);
  await assert.rejects(restore({ file, directory: target, keyFile: path.join(root, "none") }), needed);
  const other = path.join(root, "other.key");
  fs.writeFileSync(other, randomBytes(32));
  await assert.rejects(restore({ file, directory: target, keyFile: other }), { code: "backup/wrong-key" });
  assert.deepEqual(fs.readdirSync(root).sort(), ["backup.bin", "data", "other.key"]);
});

test("a vault's passphrase opens its backup", async (context) => {
  const passphrase = "correct horse";
  const { root, directory, file, files } = await dataFolder(context, { passphrase });
  await assert.rejects(backup({ directory, file }), { code: "vault/passphrase-needed" });
  const made = await backup({ directory, file, passphrase, includeKeyFile: true });
  assert.equal(made.includesKeyFile, false);
  const again = path.join(root, "again");
  await assert.rejects(restore({ file, directory: again }), { code: "vault/passphrase-needed" });
  const wrong = restore({ file, directory: again, passphrase: "battery staple" });
  await assert.rejects(wrong, { code: "backup/wrong-key", field: "passphrase" });
  fs.mkdirSync(again);
  await restore({ file, directory: again, passphrase });
  await assertWhole(again, files, { passphrase });
});

test("the key file goes along when asked for", async (context) => {
  const { root, directory, file, files } = await dataFolder(context);
  assert.equal((await backup({ directory, file, includeKeyFile: true })).includesKeyFile, true);
  const again = path.join(root, "again");
  assert.equal((await restore({ file, directory: again })).includesKeyFile, true);
  await assertWhole(again, files);
});

test("nothing is overwritten", async (context) => {
  const { root, directory, file, keyFile } = await dataFolder(context);
  await backup({ directory, file });
  const none = path.join(root, "none");
  await assert.rejects(backup({ directory, file }), { code: "backup/exists" });
  await assert.rejects(restore({ file, directory, keyFile }), { code: "backup/not-empty" });
  await assert.rejects(backup({ directory: none, file: `${file}2` }), { code: "backup/nothing" });
  await assert.rejects(restore({ file: none, directory: `${directory}2` }), { code: "backup/nothing" });
});

test("a backup that was changed anywhere restores nothing", async (context) => {
  const { root, directory, file, keyFile } = await dataFolder(context);
  await backup({ directory, file });
  const bytes = fs.readFileSync(file);
  const flipped = (at: number): Uint8Array => {
    const copy = Uint8Array.from(bytes);
    copy[at]! ^= 1;
    return copy;
  };
  const chunk = 2 ** 20 + 16;
  const start = 32 + 4 + bytes.readUInt32LE(32) + 4 + 32;
  assert.ok(bytes.length > start + 3 * chunk);
  const [first, second] = [
    bytes.subarray(start, start + chunk),
    bytes.subarray(start + chunk, start + 2 * chunk),
  ];
  const damaged: [string, Uint8Array][] = [
    ["empty", new Uint8Array()],
    ["zeros", new Uint8Array(bytes.length)],
    ["header only", bytes.subarray(0, start)],
    ["last byte missing", bytes.subarray(0, -1)],
    ["last chunk missing", bytes.subarray(0, start + 3 * chunk)],
    ["a byte more", Buffer.concat([bytes, Buffer.from([0])])],
    ["magic", flipped(0)],
    ["salt", flipped(start - 1)],
    ["first chunk", flipped(start)],
    ["last tag", flipped(bytes.length - 1)],
    [
      "chunks exchanged",
      Buffer.concat([bytes.subarray(0, start), second, first, bytes.subarray(start + 2 * chunk)]),
    ],
  ];
  for (const [name, wrong] of damaged) {
    const target = path.join(root, "restored");
    fs.writeFileSync(`${file}.damaged`, wrong);
    const restored = restore({ file: `${file}.damaged`, directory: target, keyFile });
    await assert.rejects(restored, { code: "backup/corrupt" }, name);
    assert.equal(fs.existsSync(target), false);
  }
  assert.deepEqual(fs.readdirSync(root).sort(), ["backup.bin", "backup.bin.damaged", "data"]);
});
