/**
 * The session file: what proves a receipt somewhere else than where the adapter is. SECRET, as about d_in witnesses give
 * the adapter away: it exists encrypted only (scrypt, AES-256-GCM), and whoever makes proofs of it drops the rest.
 */
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { z } from "zod";
import { fromHex, type Hex, toHex } from "../protocol/bytes.ts";
import { DeltapayError, ensure } from "../protocol/errors.ts";
import { P } from "../protocol/field.ts";
import { PROTOCOL_VERSION } from "../protocol/tags.ts";
import { bundleSchema, count, hex, parseMessage, stringifyMessage, uint } from "./messages.ts";

/** Characters a passphrase must have: whoever gets the file can try as long as it likes. */
export const MIN_PASSPHRASE = 12;
/** Largest file that is read. */
export const MAX_SESSION_FILE = 256 * 2 ** 20;

const FORMAT = "deltapay/1/session";
const WARNING =
  "SECRET: with enough of these files, and their passphrases, anyone can rebuild the adapter. Delete it when the proofs are made.";
const KDF = { name: "scrypt", N: 2 ** 17, r: 8, p: 1 } as const;
const NONCE_BYTES = 12;

const scalar = uint(256).refine((value) => value < P, "not below p");

/** Receipt, signature and V as in a bundle, and in the place of each proof what proves it. */
const sessionSchema = bundleSchema.omit({ claims: true }).extend({
  protocol: z.literal(PROTOCOL_VERSION),
  /** L. */
  keySize: count,
  /** In manifest order. */
  modules: z.array(z.strictObject({ name: z.string(), group: count })),
  witnesses: z
    .array(
      z.strictObject({ group: count, yhat: scalar, h: z.array(scalar), s: z.array(scalar), blind: scalar }),
    )
    .min(1),
});

/** An ended session that can be proven. */
export type ProvableSession = z.output<typeof sessionSchema>;

const sealedSchema = z.strictObject({
  format: z.literal(FORMAT),
  warning: z.string(),
  kdf: z.strictObject({
    name: z.literal(KDF.name),
    N: z.literal(KDF.N),
    r: z.literal(KDF.r),
    p: z.literal(KDF.p),
    salt: hex(32),
  }),
  nonce: hex(NONCE_BYTES),
  sealed: z.string().regex(/^0x(?:[0-9a-f]{2})+$/, "expected hex"),
});

function buffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

async function fileKey(
  passphrase: string,
  salt: Hex,
  onProgress?: (done: number) => void,
): Promise<CryptoKey> {
  const { N, r, p } = KDF;
  const bytes = await scryptAsync(passphrase.normalize("NFKC"), fromHex(salt), {
    N,
    r,
    p,
    dkLen: 32,
    ...(onProgress && { onProgress }),
  });
  const key = await crypto.subtle.importKey("raw", buffer(bytes), "AES-GCM", false, ["encrypt", "decrypt"]);
  bytes.fill(0);
  return key;
}

/** AES-GCM's parameters; what stands outside the ciphertext is bound to it. */
function gcm(nonce: Hex): AesGcmParams {
  return {
    name: "AES-GCM",
    iv: buffer(fromHex(nonce)),
    additionalData: new TextEncoder().encode(FORMAT),
    tagLength: 128,
  };
}

type SealedSession = z.output<typeof sealedSchema>;

/**
 * The text of a session file.
 * @throws DeltapayError `session-file/short-passphrase`
 */
export async function sealSession(session: ProvableSession, passphrase: string): Promise<string> {
  ensure(
    passphrase.length >= MIN_PASSPHRASE,
    "session-file/short-passphrase",
    `the passphrase of a session file has at least ${MIN_PASSPHRASE} characters`,
    { field: "passphrase", hint: "whoever gets the file can try passphrases for as long as it likes" },
  );
  const random = (bytes: number): Hex => toHex(crypto.getRandomValues(new Uint8Array(bytes)));
  const [salt, nonce] = [random(32), random(NONCE_BYTES)];
  const key = await fileKey(passphrase, salt);
  const plain = new TextEncoder().encode(stringifyMessage(session));
  const sealed = toHex(new Uint8Array(await crypto.subtle.encrypt(gcm(nonce), key, plain)));
  plain.fill(0);
  return `${JSON.stringify({ format: FORMAT, warning: WARNING, kdf: { ...KDF, salt }, nonce, sealed }, null, 2)}\n`;
}

function malformed(message: string): DeltapayError {
  return new DeltapayError("session-file/malformed", message, {
    field: "session",
    hint: "a session file is written by: deltapay prove AGREEMENT --export-session FILE",
  });
}

/** As many witnesses as statements, one a group, each with the key's number of slots. */
function checkWitnesses({ witnesses, V, keySize }: ProvableSession): void {
  witnesses.forEach(({ group, h, s }, position) => {
    ensure(
      group === position && witnesses.length === V.length,
      "session-file/malformed",
      "witnesses are missing",
      {
        field: `session.witnesses.${position}.group`,
      },
    );
    ensure(h.length === keySize && s.length === keySize, "session-file/malformed", `not ${keySize} slots`, {
      field: `session.witnesses.${position}`,
    });
  });
}

/**
 * The file as it lies there, still locked.
 * @throws DeltapayError `session-file/malformed`, `wire/malformed` naming the field
 */
export function readSealedSession(text: string): SealedSession {
  ensure(text.length <= MAX_SESSION_FILE, "session-file/malformed", "the file is too large", {
    field: "session",
  });
  const json = parseText(text);
  ensure(
    (json as { format?: unknown } | null)?.format === FORMAT,
    "session-file/malformed",
    "the file is no session file of this version",
    { field: "session.format", hint: "deltapay prove AGREEMENT --export-session FILE writes one" },
  );
  return parseMessage(sealedSchema, json, "session");
}

/**
 * What an unlocked file says.
 * @throws DeltapayError as `readSealedSession`
 */
export function parseSession(text: string): ProvableSession {
  const session = parseMessage(sessionSchema, parseText(text), "session");
  checkWitnesses(session);
  return session;
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed("the file is not JSON");
  }
}

/**
 * The session in a file.
 * @param onProgress hears the share of unlocking that is done, 0 to 1
 * @throws DeltapayError `session-file/malformed`, `session-file/wrong-passphrase`, `wire/malformed` naming the field
 */
export async function openSession(
  text: string,
  passphrase: string,
  onProgress?: (done: number) => void,
): Promise<ProvableSession> {
  const { kdf, nonce, sealed } = readSealedSession(text);
  const key = await fileKey(passphrase, kdf.salt, onProgress);
  let plain: ArrayBuffer;
  try {
    plain = await crypto.subtle.decrypt(gcm(nonce), key, buffer(fromHex(sealed)));
  } catch {
    // The cause says nothing more; it is the same for a wrong passphrase and a changed file.
    throw new DeltapayError(
      "session-file/wrong-passphrase",
      "the file cannot be unlocked with this passphrase",
      {
        field: "passphrase",
        hint: "check the passphrase; a file that was changed on its way cannot be unlocked either",
      },
    );
  }
  return parseSession(new TextDecoder().decode(plain));
}
