import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { Vault } from "../../runner/storage/vault.ts";
import { temporaryDirectory } from "./temporary.ts";

const SECRET = new TextEncoder().encode("a seed that nobody may read");

test("a secret comes back, in a later process too, and is nowhere in the clear", async (context) => {
  const directory = path.join(temporaryDirectory(context), "vault");
  const vault = await Vault.open(directory);
  vault.write("seed", SECRET);
  vault.write("seed.2", new Uint8Array(0));
  const again = await Vault.open(directory);
  assert.deepEqual(again.read("seed"), SECRET);
  assert.deepEqual(again.read("seed.2"), new Uint8Array(0));
  assert.deepEqual(again.names(), ["seed", "seed.2"]);
  for (const file of fs.readdirSync(directory)) {
    assert.ok(!fs.readFileSync(path.join(directory, file)).includes("nobody may read"));
    assert.equal(fs.statSync(path.join(directory, file)).mode & 0o077, 0);
  }
  assert.equal(fs.statSync(`${directory}.key`).mode & 0o077, 0);
  again.delete("seed");
  assert.equal(again.has("seed"), false);
  assert.throws(() => again.read("seed"), { code: "vault/missing" });
});

test("a passphrase unlocks; another, or none, does not", async (context) => {
  const directory = path.join(temporaryDirectory(context), "vault");
  (await Vault.open(directory, { passphrase: "caf\u00e9" })).write("seed", SECRET);
  // the same letters typed on a keyboard that composes accents
  assert.deepEqual((await Vault.open(directory, { passphrase: "cafe\u0301" })).read("seed"), SECRET);
  await assert.rejects(Vault.open(directory, { passphrase: "cafe" }), { code: "vault/wrong-key" });
  await assert.rejects(Vault.open(directory), { code: "vault/passphrase-needed" });
  await assert.rejects(Vault.open(directory, { passphrase: "" }), { code: "vault/empty-passphrase" });
  assert.equal(fs.existsSync(`${directory}.key`), false);
});

test("a changed, cut or exchanged file is refused", async (context) => {
  const directory = path.join(temporaryDirectory(context), "vault");
  const vault = await Vault.open(directory);
  vault.write("seed", SECRET);
  const file = path.join(directory, "seed.secret");
  const sealed = fs.readFileSync(file);
  for (const at of [0, 12, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[at]! ^= 1;
    fs.writeFileSync(file, changed);
    assert.throws(() => vault.read("seed"), { code: "vault/corrupt", field: file });
  }
  fs.writeFileSync(file, sealed.subarray(0, 20));
  assert.throws(() => vault.read("seed"), { code: "vault/corrupt" });
  fs.writeFileSync(path.join(directory, "other.secret"), sealed);
  assert.throws(() => vault.read("other"), { code: "vault/corrupt" });
});

test("a key file that is lost, exchanged or open to others is refused", async (context) => {
  const directory = path.join(temporaryDirectory(context), "vault");
  const keyFile = `${directory}.key`;
  (await Vault.open(directory)).write("seed", SECRET);
  fs.chmodSync(keyFile, 0o644);
  await assert.rejects(Vault.open(directory), { code: "vault/key-file-exposed", field: keyFile });
  fs.chmodSync(keyFile, 0o600);
  fs.writeFileSync(keyFile, new Uint8Array(32));
  await assert.rejects(Vault.open(directory), { code: "vault/wrong-key" });
  fs.rmSync(keyFile);
  await assert.rejects(Vault.open(directory), { code: "vault/key-file-missing" });
  fs.writeFileSync(path.join(directory, "vault.json"), "{}");
  await assert.rejects(Vault.open(directory), { code: "vault/malformed" });
});

test("a name cannot leave the vault", async (context) => {
  const vault = await Vault.open(path.join(temporaryDirectory(context), "vault"));
  for (const name of ["../seed", "a/b", ".hidden", "", "x".repeat(200)])
    assert.throws(() => vault.write(name, SECRET), { code: "vault/bad-name" });
});

test("a vault opened twice at once has one key", async (context) => {
  const directory = path.join(temporaryDirectory(context), "vault");
  const [one, two] = await Promise.all([Vault.open(directory), Vault.open(directory)]);
  one.write("seed", SECRET);
  assert.deepEqual(two.read("seed"), SECRET);
});
