import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { encryptKeystoreJson, Wallet } from "ethers";
import { findAccount, readPassphrase, resolveAccount, testAccount } from "../../runner/chain/accounts.ts";
import { DeltapayError } from "../../runner/protocol/errors.ts";
import { temporaryDirectory } from "../storage/temporary.ts";
import { thrownBy } from "./localChain.ts";

const LOCAL = 31337;
const PRIVATE_KEY = "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba";
const PASSPHRASE = "correct horse";

const directory = temporaryDirectory({ after });
const keystore = path.join(directory, "key.json");
const { address, privateKey } = new Wallet(PRIVATE_KEY);
fs.writeFileSync(
  keystore,
  await encryptKeystoreJson({ address, privateKey }, PASSPHRASE, { scrypt: { N: 1024 } }),
);

/** Everything a person or a log could see of an error. */
function allText(error: Error): string {
  return `${error.message} ${JSON.stringify(error)} ${error.stack} ${String(error.cause)}`;
}

test("test accounts are Hardhat's, and only for a local chain", async () => {
  assert.equal(testAccount(0).address, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
  assert.equal((await resolveAccount({ account: 1 }, LOCAL, {})).address, testAccount(1).address);
  const error = await thrownBy(resolveAccount({ account: 1 }, 1, {}));
  assert.equal(error.code, "account/local-only");
  for (const account of [-1, 20, 1.5, Number.NaN])
    assert.equal((await thrownBy(resolveAccount({ account }, LOCAL, {}))).code, "account/out-of-range");
});

test("a keystore opens with its passphrase, from the environment or a file", async () => {
  const environment = { DELTAPAY_PASSPHRASE: PASSPHRASE };
  assert.equal((await resolveAccount({ keystore }, 1, environment)).address, address);
  const passphraseFile = path.join(directory, "passphrase");
  fs.writeFileSync(passphraseFile, `${PASSPHRASE}\nanother line\n`);
  assert.equal((await resolveAccount({ keystore, passphraseFile }, 1, {})).address, address);
});

test("a keystore that does not open says why, without the passphrase", async () => {
  assert.equal((await thrownBy(resolveAccount({ keystore }, 1, {}))).code, "account/passphrase-needed");
  const wrong = await thrownBy(resolveAccount({ keystore }, 1, { DELTAPAY_PASSPHRASE: "battery staple" }));
  assert.equal(wrong.code, "account/wrong-passphrase");
  assert.ok(!allText(wrong).includes("battery staple"));
  const other = path.join(directory, "other.json");
  fs.writeFileSync(other, "{}");
  assert.equal((await thrownBy(resolveAccount({ keystore: other }, 1, {}))).code, "account/not-a-keystore");
  const missing = resolveAccount({ keystore: path.join(directory, "none") }, 1, {});
  assert.equal((await thrownBy(missing)).code, "account/keystore-missing");
  assert.throws(() => readPassphrase(path.join(directory, "none"), {}), { code: "account/passphrase-file" });
});

test("a private key comes from the environment, with or without 0x", async () => {
  for (const text of [PRIVATE_KEY, PRIVATE_KEY.slice(2)])
    assert.equal((await resolveAccount({}, 1, { DELTAPAY_PRIVATE_KEY: text })).address, address);
});

test("a malformed private key is not repeated in the error", async () => {
  const above = `0x${"f".repeat(64)}`;
  for (const text of [PRIVATE_KEY.slice(0, -1), `${PRIVATE_KEY}00`, `${PRIVATE_KEY.slice(0, -1)}g`, above]) {
    const error = await thrownBy(resolveAccount({}, 1, { DELTAPAY_PRIVATE_KEY: text }));
    assert.ok(error instanceof DeltapayError);
    assert.equal(error.code, "account/bad-private-key");
    assert.ok(!allText(error).includes(text.slice(2, 30)));
  }
});

test("what is named on the command line comes before the environment", async () => {
  const environment = { DELTAPAY_PRIVATE_KEY: PRIVATE_KEY, DELTAPAY_PASSPHRASE: PASSPHRASE };
  assert.equal((await resolveAccount({ account: 3 }, LOCAL, environment)).address, testAccount(3).address);
  assert.equal((await resolveAccount({ account: 3, keystore }, LOCAL, environment)).address, address);
});

test("without any account the error names every way to give one", async () => {
  assert.equal(await findAccount({}, LOCAL, {}), undefined);
  const error = await thrownBy(resolveAccount({}, LOCAL, { DELTAPAY_PRIVATE_KEY: "" }));
  assert.equal(error.code, "account/missing");
  assert.match(error.hint!, /--account N .*--keystore FILE.*DELTAPAY_PRIVATE_KEY/);
  assert.doesNotMatch((await thrownBy(resolveAccount({}, 1, {}))).hint!, /--account/);
});
