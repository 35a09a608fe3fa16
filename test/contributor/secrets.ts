/** What must never be written down: every secret of a contributor's service, in every spelling a mistake may give it. */
import { Buffer } from "node:buffer";
import { readAdapterSecret, readManifest } from "../../runner/contributor/adapters.ts";
import type { ContributorData } from "../../runner/contributor/dataFolder.ts";
import { fromHex, type Hex } from "../../runner/protocol/bytes.ts";
import { manifestLayout } from "../../runner/protocol/manifest.ts";
import { registrationBlinds } from "../../runner/protocol/registration.ts";
import type { TestBuyer } from "./buyer.ts";

/** Texts of which none may be found, and what each is. */
export class Secrets {
  readonly #names = new Map<string, string>();

  get size(): number {
    return this.#names.size;
  }

  set(name: string, secret: string): void {
    this.#names.set(secret, name);
  }

  /** What of them a text holds. */
  in(text: string): string[] {
    // Spelled over many lines, or in capitals, it is the same secret.
    const texts = [text, text.replace(/\s+/g, ""), text.toLowerCase()];
    return [...this.#names]
      .filter(([secret]) => texts.some((one) => one.includes(secret)))
      .map(([, name]) => name);
  }
}

/** Adds a secret as it is, and as hex, base64 and numbers. */
export function addSecret(secrets: Secrets, name: string, secret: Uint8Array | string): void {
  const bytes = typeof secret === "string" ? Buffer.from(secret) : Buffer.from(secret);
  if (typeof secret === "string") secrets.set(name, secret);
  secrets.set(`${name}, hex`, bytes.toString("hex"));
  // The last characters depend on what stands behind.
  for (const encoding of ["base64", "base64url"] as const)
    secrets.set(`${name}, ${encoding}`, bytes.toString(encoding).replace(/=+$/, "").slice(0, -1));
  secrets.set(`${name}, numbers`, [...bytes].join(","));
  secrets.set(`${name}, one number`, BigInt(`0x${bytes.toString("hex")}`).toString());
}

const bytesOf = (array: Int8Array | Float64Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Adds all that the vault keeps of an adapter and what follows from it. */
export function addAdapterSecrets(secrets: Secrets, data: ContributorData, adapterId: Hex): void {
  const manifest = readManifest(data, adapterId);
  const { modules } = manifestLayout(manifest);
  const { seed, scaleSalt, modules: weights } = readAdapterSecret(data, adapterId, manifest);
  addSecret(secrets, "seed", seed);
  addSecret(secrets, "scale salt", scaleSalt);
  const { vkHash, adapterSalt } = manifest;
  const blinds = registrationBlinds({ seed, vkHash, adapterSalt: fromHex(adapterSalt, 32), modules });
  for (const [m, { Aq, Bq, b }] of weights.entries()) {
    for (const [name, array] of Object.entries({ Aq, Bq, b })) {
      addSecret(secrets, `${name} of module ${m}`, bytesOf(array));
      secrets.set(`${name} of module ${m}, decimal`, array.join(","));
    }
    for (const [name, scalars] of Object.entries(blinds[m]!))
      for (const [i, scalar] of (scalars as bigint[]).entries()) {
        secrets.set(`blind ${name} ${i} of module ${m}`, scalar.toString());
        secrets.set(`blind ${name} ${i} of module ${m}, hex`, scalar.toString(16).padStart(64, "0"));
      }
  }
}

/** Adds what a buyer sends and gets to the secrets. */
export function watchBuyer(secrets: Secrets, buyer: TestBuyer): void {
  const [request, send, open] = [buyer.request, buyer.send, buyer.open];
  buyer.request = (modules, tokens, salt) => {
    const made = request.call(buyer, modules, tokens, salt);
    addSecret(secrets, "pass salt", made.passSalt);
    addSecret(secrets, "activations", new Uint8Array(made.X.buffer));
    secrets.set("activations, decimal", made.X.join(","));
    return made;
  };
  buyer.send = async (...args) => {
    const answer = await send.apply(buyer, args);
    if (answer.status === 200) addSecret(secrets, "answer", answer.bytes);
    return answer;
  };
  buyer.open = async () => {
    const answer = await open.call(buyer);
    addSecret(secrets, `token of ${buyer.agreementId}`, buyer.token);
    return answer;
  };
}
