/**
 * Secrets at rest: one encrypted file each (AES-256-GCM), under a random data key that a passphrase (scrypt) or a key file
 * for unattended service unlocks. A file is bound to its name, so that two cannot be exchanged.
 *
 * vault.json: how to unlock and the wrapped data key. NAME.secret: nonce 12 | ciphertext | tag 16.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { fromHex, toHex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import {
  createFileAtomic,
  hasCode,
  makePrivateDirectory,
  readFileIfThere,
  writeFileAtomic,
} from "./files.ts";

/** With a passphrase scrypt makes the key; else a key file, made at first use, holds it. */
export interface VaultOptions {
  passphrase?: string;
  /** Default: the vault's folder with `.key` appended. */
  keyFile?: string;
}

const HEADER = "vault.json";
const SUFFIX = ".secret";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const SCRYPT = { N: 2 ** 17, r: 8, p: 1 } as const;

const headerSchema = z.strictObject({
  version: z.literal(1),
  unlock: z.enum(["passphrase", "key-file"]),
  kdf: z
    .strictObject({
      name: z.literal("scrypt"),
      N: z.literal(SCRYPT.N),
      r: z.literal(SCRYPT.r),
      p: z.literal(SCRYPT.p),
      salt: z.string().regex(/^0x[0-9a-f]{64}$/),
    })
    .nullable(),
  wrappedKey: z.string().regex(/^0x[0-9a-f]+$/),
});
type Header = z.output<typeof headerSchema>;

export class Vault {
  readonly directory: string;
  readonly #key: Uint8Array;

  private constructor(directory: string, key: Uint8Array) {
    this.directory = directory;
    this.#key = key;
  }

  /**
   * Opens a vault, made when missing. Two processes may open it at once.
   * @throws DeltapayError `vault/passphrase-needed`, `vault/wrong-key`, `vault/key-file-missing`,
   * `vault/key-file-exposed`, `vault/malformed`, `vault/empty-passphrase`
   */
  static async open(directory: string, options: VaultOptions = {}): Promise<Vault> {
    if (options.passphrase === "")
      throw new DeltapayError("vault/empty-passphrase", "the passphrase is empty", { field: "passphrase" });
    makePrivateDirectory(directory);
    const keyFile = options.keyFile ?? `${directory}.key`;
    const headerFile = path.join(directory, HEADER);
    let header = readHeader(headerFile);
    if (header === undefined) {
      const made = await makeHeader(options.passphrase, keyFile);
      createFileAtomic(headerFile, new TextEncoder().encode(`${JSON.stringify(made)}\n`));
      header = readHeader(headerFile)!;
    }
    const wrapping = await unlockingKey(header, options.passphrase, keyFile);
    const key = open(wrapping, fromHex(header.wrappedKey), HEADER);
    if (key === undefined)
      throw new DeltapayError(
        "vault/wrong-key",
        `${directory} cannot be unlocked with this ${header.unlock}`,
        {
          field: header.unlock === "passphrase" ? "passphrase" : keyFile,
        },
      );
    return new Vault(directory, key);
  }

  /** Stores a secret durably and atomically. */
  write(name: string, secret: Uint8Array): void {
    writeFileAtomic(this.#file(name), seal(this.#key, secret, name));
  }

  /** @throws DeltapayError `vault/missing`, `vault/corrupt` */
  read(name: string): Uint8Array {
    const sealed = readFileIfThere(this.#file(name));
    if (sealed === undefined)
      throw new DeltapayError("vault/missing", `the vault holds no '${name}'`, { field: this.#file(name) });
    const secret = open(this.#key, sealed, name);
    if (secret === undefined)
      throw new DeltapayError("vault/corrupt", `'${name}' was changed or belongs to another vault`, {
        field: this.#file(name),
        hint: "restore it from a backup",
      });
    return secret;
  }

  has(name: string): boolean {
    return fs.existsSync(this.#file(name));
  }

  /** Forgets a secret; nothing happens when it is not there. */
  delete(name: string): void {
    fs.rmSync(this.#file(name), { force: true });
  }

  /**
   * A key of 32 bytes for another use than the vault's own files.
   * @param purpose a different one for each use
   * @param salt where one use needs many keys
   */
  deriveKey(purpose: string, salt: Uint8Array = new Uint8Array()): Uint8Array {
    return new Uint8Array(hkdfSync("sha256", this.#key, salt, `deltapay/1/${purpose}`, KEY_BYTES));
  }

  /** Names of all secrets, sorted. */
  names(): string[] {
    return fs
      .readdirSync(this.directory)
      .filter((file) => file.endsWith(SUFFIX) && !file.startsWith("."))
      .map((file) => file.slice(0, -SUFFIX.length))
      .sort();
  }

  #file(name: string): string {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/.test(name))
      throw new DeltapayError(
        "vault/bad-name",
        "a secret's name has letters, digits, '.', '_' and '-' only",
        {
          field: "name",
        },
      );
    return path.join(this.directory, name + SUFFIX);
  }
}

function readHeader(file: string): Header | undefined {
  const bytes = readFileIfThere(file);
  if (bytes === undefined) return undefined;
  try {
    return headerSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new DeltapayError("vault/malformed", `${file} is not a vault's header`, {
      field: file,
      hint: "restore it from a backup: without it no secret of the vault can be read",
      cause,
    });
  }
}

async function makeHeader(passphrase: string | undefined, keyFile: string): Promise<Header> {
  const dataKey = randomBytes(KEY_BYTES);
  const salt = randomBytes(32);
  let wrapping: Uint8Array;
  if (passphrase === undefined) {
    makePrivateDirectory(path.dirname(keyFile));
    createFileAtomic(keyFile, randomBytes(KEY_BYTES));
    wrapping = readKeyFile(keyFile);
  } else wrapping = await deriveKey(passphrase, salt);
  return {
    version: 1,
    unlock: passphrase === undefined ? "key-file" : "passphrase",
    kdf: passphrase === undefined ? null : { name: "scrypt", ...SCRYPT, salt: toHex(salt) },
    wrappedKey: toHex(seal(wrapping, dataKey, HEADER)),
  };
}

function unlockingKey(header: Header, passphrase: string | undefined, keyFile: string): Promise<Uint8Array> {
  if (header.kdf === null) return Promise.resolve(readKeyFile(keyFile));
  if (passphrase === undefined)
    throw new DeltapayError("vault/passphrase-needed", "this vault is locked with a passphrase", {
      field: "passphrase",
      hint: "set DELTAPAY_PASSPHRASE",
    });
  return deriveKey(passphrase, fromHex(header.kdf.salt));
}

function readKeyFile(keyFile: string): Uint8Array {
  let exposed: boolean;
  let key: Uint8Array;
  try {
    exposed = process.platform !== "win32" && (fs.statSync(keyFile).mode & 0o077) !== 0;
    key = new Uint8Array(fs.readFileSync(keyFile));
  } catch (cause) {
    if (!hasCode(cause, "ENOENT")) throw cause;
    throw new DeltapayError("vault/key-file-missing", `${keyFile} is not there`, {
      field: keyFile,
      hint: "the vault cannot be read without it: restore it from where it was kept",
      cause,
    });
  }
  if (exposed)
    throw new DeltapayError("vault/key-file-exposed", `${keyFile} can be read by others`, {
      field: keyFile,
      hint: `chmod 600 ${keyFile}`,
    });
  if (key.length !== KEY_BYTES)
    throw new DeltapayError("vault/malformed", `${keyFile} is not a key file`, { field: keyFile });
  return key;
}

function deriveKey(passphrase: string, salt: Uint8Array): Promise<Uint8Array> {
  const options = { ...SCRYPT, maxmem: 256 * SCRYPT.N * SCRYPT.r };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFKC"), salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

function seal(key: Uint8Array, secret: Uint8Array, name: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(name));
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined when the key is wrong or anything was changed. */
function open(key: Uint8Array, sealed: Uint8Array, name: string): Uint8Array | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(name))
    .setAuthTag(sealed.subarray(end));
  try {
    return new Uint8Array(
      Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]),
    );
  } catch {
    return undefined;
  }
}
