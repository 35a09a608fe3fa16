/** Accounts that sign: a keystore file, a private key in the environment, or a test account of a local chain. */
import * as fs from "node:fs";
import type { LocalAccount } from "viem";
import { mnemonicToAccount, privateKeyToAccount } from "viem/accounts";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { accountMissing } from "./accountMissing.ts";
import { isLocalChain } from "./localChain.ts";

/** Public, and known to every Hardhat node. */
const TEST_MNEMONIC = "test test test test test test test test test test test junk";
/** Accounts a Hardhat node gives money to. */
const TEST_ACCOUNTS = 20;

export interface AccountOptions {
  /** Test account of a local chain, 0 to 19. */
  account?: number;
  /** Web3 Secret Storage file. */
  keystore?: string;
  /** File whose first line is the keystore's passphrase. */
  passphraseFile?: string;
}

/** Where secrets come from; `process.env` unless told. */
export type Environment = Record<string, string | undefined>;

/** Test account `index` of a local chain. */
export function testAccount(index: number): LocalAccount {
  return mnemonicToAccount(TEST_MNEMONIC, { addressIndex: index });
}

function localAccount(index: number, chainId: number): LocalAccount {
  ensure(isLocalChain(chainId), "account/local-only", `test accounts have no place on chain ${chainId}`, {
    field: "account",
    hint: "their keys are public: use --keystore FILE or DELTAPAY_PRIVATE_KEY",
  });
  ensure(
    Number.isInteger(index) && index >= 0 && index < TEST_ACCOUNTS,
    "account/out-of-range",
    "there is no such test account",
    {
      field: "account",
      hint: `choose 0 to ${TEST_ACCOUNTS - 1}`,
    },
  );
  return testAccount(index);
}

/**
 * The passphrase of a keystore or vault: DELTAPAY_PASSPHRASE or the first line of a file.
 * @throws DeltapayError `account/passphrase-file`
 */
export function readPassphrase(
  file: string | undefined,
  environment: Environment = process.env,
): string | undefined {
  if (file === undefined) return environment["DELTAPAY_PASSPHRASE"];
  try {
    return fs.readFileSync(file, "utf8").split(/\r?\n/, 1)[0];
  } catch {
    throw new DeltapayError("account/passphrase-file", `${file} cannot be read`, {
      field: "passphrase-file",
    });
  }
}

function readKeystore(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    throw new DeltapayError("account/keystore-missing", `${file} cannot be read`, { field: "keystore" });
  }
}

async function keystoreAccount(file: string, passphrase: string | undefined): Promise<LocalAccount> {
  const json = readKeystore(file);
  const { isKeystoreJson, Wallet } = await import("ethers");
  ensure(isKeystoreJson(json), "account/not-a-keystore", `${file} is not a Web3 Secret Storage file`, {
    field: "keystore",
    hint: "geth, Foundry and most wallets write such files",
  });
  ensure(passphrase !== undefined, "account/passphrase-needed", "the keystore is locked with a passphrase", {
    field: "keystore",
    hint: "set DELTAPAY_PASSPHRASE or --passphrase-file FILE",
  });
  let privateKey: string;
  try {
    ({ privateKey } = await Wallet.fromEncryptedJson(json, passphrase));
  } catch {
    throw new DeltapayError("account/wrong-passphrase", `${file} cannot be unlocked`, {
      field: "keystore",
      hint: "check the passphrase",
    });
  }
  return privateKeyToAccount(privateKey as Hex);
}

function environmentAccount(privateKey: string): LocalAccount {
  // Never the text itself in the error: it may be all but one character of a key.
  const text = privateKey.startsWith("0x") ? privateKey : `0x${privateKey}`;
  const malformed = new DeltapayError(
    "account/bad-private-key",
    "DELTAPAY_PRIVATE_KEY is not a private key",
    {
      field: "DELTAPAY_PRIVATE_KEY",
      hint: "it has 32 bytes in hex",
    },
  );
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) throw malformed;
  try {
    return privateKeyToAccount(text as Hex);
  } catch {
    throw malformed;
  }
}

/**
 * The account that signs; undefined when none was named.
 *
 * What is given on the command line comes before the environment; a keystore before a test account.
 * @throws DeltapayError `account/...`
 */
export async function findAccount(
  options: AccountOptions,
  chainId: number,
  environment: Environment = process.env,
): Promise<LocalAccount | undefined> {
  const { account, keystore, passphraseFile } = options;
  if (keystore !== undefined) return keystoreAccount(keystore, readPassphrase(passphraseFile, environment));
  if (account !== undefined) return localAccount(account, chainId);
  const privateKey = environment["DELTAPAY_PRIVATE_KEY"];
  return privateKey === undefined || privateKey === "" ? undefined : environmentAccount(privateKey);
}

/**
 * The account that signs.
 * @throws DeltapayError `account/missing` when none was named, and as `findAccount`
 */
export async function resolveAccount(
  options: AccountOptions,
  chainId: number,
  environment: Environment = process.env,
): Promise<LocalAccount> {
  const account = await findAccount(options, chainId, environment);
  if (account === undefined) throw accountMissing(chainId);
  return account;
}
